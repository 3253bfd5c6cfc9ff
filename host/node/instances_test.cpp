// Two nodes of one process, and thousands one after the other: an instance takes nothing with it
// that it does not give back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "node/node.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {
namespace {

namespace fs = std::filesystem;

struct Used {
  std::size_t descriptors = 0, threads = 0;
  std::size_t resident_kib = 0;
};

std::size_t entries(const char* directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

Used used() {
  Used now{entries("/proc/self/fd"), entries("/proc/self/task"), 0};
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmRSS:") status >> now.resident_kib;
  return now;
}

struct Instances : testing::Test {
  Instances() {
    char name[] = "/tmp/rhizome-instances-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~Instances() override { fs::remove_all(directory); }

  // A node's directory with a store that keeps nothing and a network inside this process.
  config::NodeConfig make(const std::string& name) const {
    const std::string home = directory + "/" + name;
    fs::create_directories(home);
    EXPECT_TRUE(SigningKey::generate().save(home + "/node.key").ok());
    const char* build = std::getenv("RHIZOME_BUILD_DIR");
    const std::string text = "node:\n  name: " + name +
                             "\n  admission: open\nplugins:\n  path: [\"" +
                             std::string(build != nullptr ? build : "") +
                             "/lib/rhizome/plugins\"]\nstore:\n  plugin: memory\ntransport:\n"
                             "  plugin: inproc\n  config: {network: instances, address: " +
                             name + "}\nlog:\n  level: error\n";
    std::vector<config::Problem> problems;
    Result<config::NodeConfig> config =
        config::parse_config(home + "/rhizome.yaml", text, problems);
    for (const config::Problem& problem : problems) ADD_FAILURE() << problem.to_string();
    return std::move(*config);
  }
  static std::unique_ptr<Node> start(const config::NodeConfig& config) {
    std::vector<config::Problem> problems;
    Result<std::unique_ptr<Node>> node = Node::start(config, problems);
    EXPECT_TRUE(node.ok()) << node.status().to_string();
    return node.ok() ? std::move(*node) : nullptr;
  }

  std::string directory;
};

TEST_F(Instances, TwoNodesOfOneProcessEachHaveTheirOwnPlugins) {
  const config::NodeConfig a = make("a"), b = make("b");
  std::unique_ptr<Node> first = start(a), second = start(b);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->key(), second->key());
  EXPECT_THAT(first->addresses(), testing::ElementsAre("inproc://a"));
  EXPECT_THAT(second->addresses(), testing::ElementsAre("inproc://b"));
  first.reset();  // the other goes on
  EXPECT_THAT(second->addresses(), testing::ElementsAre("inproc://b"));
  ASSERT_TRUE(start(a));
}

// 10,000 in the long set (RHIZOME_SOAK), 200 else.
TEST_F(Instances, OpeningAndClosingThousandsLeavesNothingBehind) {
  const config::NodeConfig config = make("n");
  const int count = std::getenv("RHIZOME_SOAK") != nullptr ? 10'000 : 200;
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(start(config));  // what is made once is made
  const Used before = used();
  for (int i = 0; i < count; ++i) ASSERT_TRUE(start(config)) << "after " << i;
  const Used after = used();
  std::printf(
      "%d opens and closes: descriptors %zu to %zu, threads %zu to %zu, memory %zu to %zu KiB\n",
      count, before.descriptors, after.descriptors, before.threads, after.threads,
      before.resident_kib, after.resident_kib);
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_EQ(after.threads, before.threads);
  // Less than 200 bytes per instance, or what the allocator may round up.
  EXPECT_LE(after.resident_kib, before.resident_kib + 2048 + static_cast<std::size_t>(count) / 5);
}

}  // namespace
}  // namespace rhizome
