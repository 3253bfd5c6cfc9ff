// The log's two formats, and that a field cannot forge a line.
#include "runtime/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace rhizome {
namespace {

struct Lines {
  std::vector<std::string> seen;
  std::function<void(std::string_view)> sink() {
    return [this](std::string_view line) { seen.emplace_back(line); };
  }
};

TEST(Log, WritesFieldsAsText) {
  Lines lines;
  Log log(LogLevel::kInfo, Log::Format::kText, lines.sink());
  log.info("peer.up", {{"name", "b"}, {"address", "tcp://127.0.0.1:7001"}});
  EXPECT_THAT(lines.seen, testing::ElementsAre("peer.up name=b address=tcp://127.0.0.1:7001"));
}

TEST(Log, WritesFieldsAsJson) {
  Lines lines;
  Log log(LogLevel::kInfo, Log::Format::kJson, lines.sink());
  log.warn("peer.down", {{"name", "b"}});
  EXPECT_THAT(lines.seen, testing::ElementsAre(R"("event":"peer.down","name":"b")"));
}

TEST(Log, DropsWhatIsBelowItsLevel) {
  Lines lines;
  Log log(LogLevel::kWarn, Log::Format::kText, lines.sink());
  log.info("quiet");
  log.error("loud");
  EXPECT_THAT(lines.seen, testing::ElementsAre("loud"));
}

TEST(Log, AFieldCannotForgeALine) {
  Lines lines;
  Log log(LogLevel::kInfo, Log::Format::kText, lines.sink());
  log.info("refused", {{"reason", "x\n2026 error all is lost"}});
  ASSERT_EQ(lines.seen.size(), 1u);
  EXPECT_THAT(lines.seen[0], testing::Not(testing::HasSubstr("\n")));
}

}  // namespace
}  // namespace rhizome
