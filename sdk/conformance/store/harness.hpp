// What the store suite's checks share: the plugin under test and a fresh directory each. One
// thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "rhizome/use/store.hpp"

namespace rhizome::conformance {

struct Subject {
  const rz_store* table = nullptr;
  const rz_store_resolve* resolve = nullptr;    // may be null
  const rz_store_maintain* maintain = nullptr;  // may be null
  std::string config = "{}";
  std::vector<std::string> capabilities;  // of its manifest

  bool declares(const std::string& capability) const {
    return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
  }
};
Subject& subject();
// A host with a clock and timers.
use::InstanceHostPtr make_host();
// Loads the plugin, for instances with this config.
Status load_plugin(const std::string& path, const std::string& config);

class StoreTest : public testing::Test {
 protected:
  StoreTest();
  ~StoreTest() override;
  use::Store open();
  Result<use::Store> try_open() {
    return use::Store::open({subject().table, subject().resolve, subject().maintain}, make_host(),
                            subject().config, directory_);
  }
  static std::vector<std::pair<std::string, std::string>> all(const use::Store& store,
                                                              ByteView lower = {},
                                                              ByteView upper = {},
                                                              bool reverse = false);
  static void put(use::Store& store, ByteView key, ByteView value,
                  use::Durability durability = use::Durability::kBuffered);

  std::string directory_;
  const std::uint64_t seed_ = std::random_device{}();
  std::mt19937_64 random_{seed_};
};

}  // namespace rhizome::conformance
