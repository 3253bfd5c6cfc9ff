// A log whose reader stands still: no call waits, whole lines are dropped and counted, and what
// waits comes out once there is a reader again.
#include "runtime/line_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/log.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;

// Two ends, closed at the end; the writer's blocks, as standard error does.
struct Channel {
  int ends[2] = {-1, -1};
  explicit Channel(bool socket = false) {
    const int made = socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                            : ::pipe2(ends, O_CLOEXEC);
    EXPECT_EQ(made, 0);
    if (!socket) ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
  }
  ~Channel() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string read_some() {
    char bytes[65536];
    const ssize_t got = ::read(ends[0], bytes, sizeof bytes);
    return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string();
  }
};

std::string line_of(int number) {
  return "line " + std::to_string(number) + " " + std::string(90, '.') + "\n";
}

void expect_whole_lines_in_order(const std::string& text) {
  int last = -1;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ASSERT_NE(end, std::string::npos) << "a line without its end";
    const std::string line = text.substr(at, end + 1 - at);
    const int number = std::stoi(line.substr(5));
    EXPECT_EQ(line, line_of(number));
    EXPECT_GT(number, last);
    last = number;
    at = end + 1;
  }
}

void expect_no_wait_and_every_line_counted(bool socket) {
  Channel channel(socket);
  constexpr std::size_t kLimit = 64 * 1024;
  std::string text;
  LineWriter writer(channel.ends[1], kLimit);
  constexpr int kLines = 20'000;
  for (int i = 0; i < kLines; ++i) writer.write(line_of(i));  // a wait here would be for ever
  EXPECT_GT(writer.stats().dropped, 0u);
  EXPECT_LE(writer.stats().waiting_bytes, kLimit);
  while (writer.stats().waiting_bytes != 0) {
    text += channel.read_some();
    writer.drain();
  }
  EXPECT_EQ(writer.take_unreported(), writer.stats().dropped);
  EXPECT_EQ(writer.take_unreported(), 0u) << "reported once";
  writer.write(line_of(kLines));
  while (!text.ends_with(line_of(kLines))) {
    text += channel.read_some();
    writer.drain();
  }
  expect_whole_lines_in_order(text);
  EXPECT_EQ(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')),
            kLines + 1 - writer.stats().dropped);
}

TEST(LineWriter, AFullPipeIsNeverWaitedFor) {
  expect_no_wait_and_every_line_counted(/*socket=*/false);
}

TEST(LineWriter, AFullSocketIsNeverWaitedFor) {
  expect_no_wait_and_every_line_counted(/*socket=*/true);
}

TEST(LineWriter, TheOtherHoldersOfThePipeStillBlockOnIt) {
  Channel channel;
  const LineWriter writer(channel.ends[1]);
  EXPECT_EQ(::fcntl(channel.ends[1], F_GETFL) & O_NONBLOCK, 0);
}

TEST(LineWriter, ItsEndDoesNotWaitForAReaderThatStandsStill) {
  Channel channel;
  LineWriter writer(channel.ends[1]);
  for (int i = 0; i < 1000; ++i) writer.write(line_of(i));
  EXPECT_GT(writer.stats().waiting_bytes, 0u);
}

TEST(Log, DroppedLinesAreReportedOnceThereIsRoom) {
  Channel channel;
  Log log(LogLevel::kInfo, Log::Format::kText, channel.ends[1]);
  const std::string long_text(1000, 'x');
  while (log.stats().dropped < 3) log.info("busy", {{"text", long_text}});
  std::string text;
  while (log.stats().waiting_bytes != 0) {
    text += channel.read_some();
    log.drain();
  }
  text += channel.read_some();
  EXPECT_THAT(text, HasSubstr("log.dropped lines=3\n"));
}

}  // namespace
}  // namespace rhizome
