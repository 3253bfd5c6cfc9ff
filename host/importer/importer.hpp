// Turns files into claims to import: any JSON, JSON Lines or CSV through a mapping, or deltas as
// JSON Lines. The `import` verb pulls items, batches them to the node and shows the progress.
// A source is owned and pulled by one thread; memory stays bounded whatever the file's size.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "importer/mapping.hpp"
#include "rhizome/status.hpp"

namespace rhizome::importer {

// One line for the node.
struct ImportItem {
  enum class Kind : std::uint8_t {
    kClaims,  // {"timestamp","pointers"} with no author: the node is the author and signs
    kDelta,   // {"id"?,"claims","sig"?} or claims with an author: taken as they are
  };
  Kind kind = Kind::kClaims;
  std::string json;      // the JSON profile, one line, no line end; valid claims
  std::size_t line = 0;  // where its record begins in the file, from 1
};

// A record that is left out. The rest of the file goes on.
struct BadRecord {
  std::size_t number = 0;  // of the record, from 1
  std::size_t line = 0;    // where it begins, from 1
  std::string why;
};

struct Progress {
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;  // 0: not known (a pipe)
  std::size_t records = 0;        // read so far, the bad ones included
  std::size_t bad = 0;
};

struct Options {
  std::function<void(const BadRecord&)> bad;  // called from within next(); may be empty
  // The claims' time (milliseconds since the epoch) where neither the map nor the file has one.
  // A file's own time is taken first, so that importing it again gives the same deltas.
  double now_ms = 0;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // The next item; false at the end. An error means that the file cannot be read on.
  virtual Result<bool> next(ImportItem& item) = 0;
  virtual Progress progress() const = 0;
};

// `path` "-" is standard input.
Result<std::unique_ptr<RecordSource>> open_mapped(const std::string& path, Mapping map,
                                                  Options options);
// Deltas as JSON Lines: the JSON profile, with or without author, id and signature, and the seed
// lineage's forms V1 and V2 (rhizome/delta/lineage.hpp), told apart line by line.
Result<std::unique_ptr<RecordSource>> open_deltas(const std::string& path, Options options);

}  // namespace rhizome::importer
