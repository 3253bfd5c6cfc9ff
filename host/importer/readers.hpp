// Readers of foreign files: a stream of records from JSON, JSON Lines or CSV, in bounded memory
// whatever the file's size. A bad record is one answer among others; only a file that cannot be
// read on is an error. Owned and pulled by one thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "importer/mapping.hpp"
#include "importer/record.hpp"
#include "rhizome/status.hpp"

namespace rhizome::importer {

// The bytes of a file with the line they stand on.
class Text {
 public:
  static Result<Text> open(const std::string& path);

  int peek();  // -1 at the end
  int get();
  std::size_t line() const { return line_; }  // of the next byte, from 1
  std::uint64_t position() const { return position_; }
  std::uint64_t size() const { return size_; }         // 0: not known
  double modified_ms() const { return modified_ms_; }  // milliseconds since the epoch
  const std::string& path() const { return path_; }
  Status status() const;  // kIo once a read failed (then peek says -1)

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  bool fill();
  std::unique_ptr<std::FILE, Close> file_;
  std::string path_;
  std::vector<char> buffer_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  std::size_t line_ = 1;
  std::uint64_t position_ = 0;
  std::uint64_t size_ = 0;
  double modified_ms_ = 0;
  int error_ = 0;
};

struct ReadRecord {
  enum class Kind { kRecord, kBad, kEnd };
  Kind kind = Kind::kEnd;
  Record record;    // kRecord
  std::string why;  // kBad
  std::size_t line = 0;
  std::size_t number = 0;  // from 1
};

class RecordReader {
 public:
  virtual ~RecordReader() = default;
  virtual Result<ReadRecord> next() = 0;
  virtual const Text& text() const = 0;
};

std::unique_ptr<RecordReader> read_json_array(Text text, const std::string& pointer);
std::unique_ptr<RecordReader> read_json_lines(Text text);
std::unique_ptr<RecordReader> read_csv(Text text, char separator);

// One line without its end into `line` (replaced); false at the end of the file. A line longer than
// `limit` is cut there and `*cut` set.
bool read_line(Text& text, std::size_t limit, std::string& line, bool* cut);

}  // namespace rhizome::importer
