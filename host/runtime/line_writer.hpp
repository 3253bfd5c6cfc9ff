// Lines to a descriptor whose reader may stand still. Used by Log. Any thread; no call blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace rhizome {

// Writes at once what the descriptor takes and keeps the rest, at most `limit` bytes; a line beyond
// that is dropped whole and counted. A line that was begun is always finished first.
//
// The descriptor is shared with other processes (a shell, a supervisor), so its O_NONBLOCK flag is
// not this process's to set: pipes and terminals are opened anew, sockets are written with
// MSG_DONTWAIT, and where neither works a write follows a poll and is at most PIPE_BUF long.
class LineWriter {
 public:
  static constexpr std::size_t kLimit = 256 * 1024;

  // `descriptor` stays the caller's and open for the writer's life.
  explicit LineWriter(int descriptor, std::size_t limit = kLimit);
  // Waits for the reader while it takes something at least every quarter of a second, a second at
  // most.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` with its line end.
  void write(std::string_view line);
  // Writes what waits, as far as the descriptor takes it.
  void drain();

  struct Stats {
    std::uint64_t dropped = 0;  // lines
    std::size_t waiting_bytes = 0;
  };
  Stats stats() const;
  // How many lines were dropped since the last answer other than 0; 0 while lines wait.
  std::uint64_t take_unreported();

 private:
  enum class Way : std::uint8_t { kPlain, kSocket, kPolled };
  void push();
  long put(const char* bytes, std::size_t size);

  int descriptor_;
  bool owned_ = false;  // descriptor_ was opened here
  Way way_ = Way::kPlain;
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::string waiting_;           // guarded by mutex_
  std::uint64_t dropped_ = 0;     // guarded by mutex_
  std::uint64_t unreported_ = 0;  // guarded by mutex_
};

}  // namespace rhizome
