// Negentropy V1 against the recorded transcripts of the reference, and against itself on sets of
// chance and on hostile messages.
#include "sync/negentropy.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

namespace rhizome::negentropy {
namespace {

std::string sha256(const std::string& text) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return hash;
}

Id id_of(const std::string& bytes) {
  Id id{};
  std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

// The transcripts' rules for what a side lacks: "none", "all", "i % 7 == 3".
bool missing(const std::string& rule, std::uint64_t i) {
  if (rule == "none") return false;
  if (rule == "all") return true;
  unsigned long long modulus = 0, rest = 0;
  if (std::sscanf(rule.c_str(), "i %% %llu == %llu", &modulus, &rest) != 2)
    throw std::runtime_error("unknown rule: " + rule);
  return i % modulus == rest;
}

VectorStorage side(const nlohmann::json& test, const std::string& rule) {
  VectorStorage storage;
  const std::string name = test["name"];
  for (std::uint64_t i = 0; i < test["n"].get<std::uint64_t>(); ++i) {
    if (missing(rule, i)) continue;
    storage.insert(test["base"].get<std::uint64_t>() + i / test["perTs"].get<std::uint64_t>(),
                   id_of(sha256(name + ":" + std::to_string(i))));
  }
  EXPECT_TRUE(storage.seal().ok());
  return storage;
}

struct Conversation {
  std::vector<std::string> messages;  // client, server, client ...
  std::vector<Id> have, need;
};

Conversation converse(const Storage& client_items, const Storage& server_items, Options options) {
  Conversation run;
  Session client(client_items, options), server(server_items, options);
  Result<std::string> message = client.initiate();
  while (message.ok() && !message->empty() && run.messages.size() < 10'000) {
    run.messages.push_back(*message);
    message = server.reconcile(run.messages.back());
    if (!message.ok()) break;
    run.messages.push_back(*message);
    message = client.reconcile(run.messages.back());
  }
  EXPECT_TRUE(message.ok()) << message.status().to_string();
  run.have = client.have();
  run.need = client.need();
  std::sort(run.have.begin(), run.have.end());
  std::sort(run.need.begin(), run.need.end());
  return run;
}

std::string joined(const std::vector<Id>& ids) {
  std::string text;
  for (const Id& id : ids) {
    if (!text.empty()) text.push_back('\n');
    text += to_hex(view(id.data(), id.size()));
  }
  return text;
}

TEST(Negentropy, SaysWordForWordWhatTheReferenceSaid) {
  const char* given = std::getenv("RHIZOME_VECTORS");
  const char* source = std::getenv("RHIZOME_SOURCE_DIR");
  const std::string root = given != nullptr    ? given
                           : source != nullptr ? std::string(source) + "/../shared/vectors"
                                               : "../shared/vectors";
  std::ifstream file(root + "/negentropy/transcripts.json");
  if (!file) {
    if (std::getenv("CI") != nullptr) FAIL() << "negentropy/transcripts.json is missing";
    GTEST_SKIP() << "the transcripts are not here: set RHIZOME_VECTORS to their folder";
  }
  const nlohmann::json transcripts = nlohmann::json::parse(file);
  for (const auto& test : transcripts["cases"]) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const std::size_t limit = test["frameSizeLimit"];
    const Conversation run = converse(side(test, test["missingAtClient"]),
                                      side(test, test["missingAtServer"]), {.frame_limit = limit});
    EXPECT_EQ(run.have.size(), test["haveCount"]);
    EXPECT_EQ(run.need.size(), test["needCount"]);
    EXPECT_EQ(to_hex(sha256(joined(run.have))), test["haveSha256"]);
    EXPECT_EQ(to_hex(sha256(joined(run.need))), test["needSha256"]);
    for (const std::string& message : run.messages)
      EXPECT_TRUE(limit == 0 || message.size() <= limit) << message.size();
    if (limit != 0) continue;  // split points are free there
    std::string all;
    for (const std::string& message : run.messages) {
      if (!all.empty()) all.push_back('\n');
      all += to_hex(message);
    }
    EXPECT_EQ(to_hex(sha256(all)), test["messagesSha256"]);
    EXPECT_EQ((run.messages.size() + 1) / 2, test["rounds"]);
  }
}

struct Sets {
  VectorStorage client, server;
  std::vector<Id> have, need;
};

Sets sets_of_chance(std::mt19937_64& chance) {
  Sets sets;
  const std::size_t count = chance() % 3000;
  const std::uint64_t times = 1 + chance() % 500;
  const std::uint64_t odds = 2 + chance() % 60;
  for (std::size_t i = 0; i < count; ++i) {
    Id id{};
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(chance());
    const std::uint64_t timestamp = chance() % times;
    const std::uint64_t lot = chance() % odds;
    if (lot != 0) sets.client.insert(timestamp, id);
    if (lot != 1) sets.server.insert(timestamp, id);
    if (lot == 0) sets.need.push_back(id);
    if (lot == 1) sets.have.push_back(id);
  }
  EXPECT_TRUE(sets.client.seal().ok());
  EXPECT_TRUE(sets.server.seal().ok());
  std::sort(sets.have.begin(), sets.have.end());
  std::sort(sets.need.begin(), sets.need.end());
  return sets;
}

TEST(Negentropy, FindsExactlyTheDifferencesOfSetsOfChance) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 chance(seed);
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    const Sets sets = sets_of_chance(chance);
    Options options;
    options.fan_out = 2 + chance() % 40;
    options.frame_limit = chance() % 2 == 0 ? 0 : kLeastFrame + chance() % 8192;
    const Conversation run = converse(sets.client, sets.server, options);
    EXPECT_EQ(run.have, sets.have);
    EXPECT_EQ(run.need, sets.need);
  }
}

// A full frame ends in one fingerprint of all that is left, ranges that were done among it.
TEST(Negentropy, NamesEachDifferenceOnceWhateverTheFrames) {
  std::mt19937_64 chance(141);
  VectorStorage client, server;
  for (int i = 0; i < 2000; ++i) {
    Id id{};
    for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(chance());
    const std::uint64_t timestamp = chance() % 399, lot = chance() % 3;
    if (lot != 0) client.insert(timestamp, id);
    if (lot != 1) server.insert(timestamp, id);
  }
  ASSERT_TRUE(client.seal().ok() && server.seal().ok());
  for (std::size_t limit = kLeastFrame; limit < 12'000; limit += 97) {
    const Conversation run = converse(client, server, {.frame_limit = limit, .fan_out = 3});
    EXPECT_EQ(std::set<Id>(run.have.begin(), run.have.end()).size(), run.have.size()) << limit;
    EXPECT_EQ(std::set<Id>(run.need.begin(), run.need.end()).size(), run.need.size()) << limit;
  }
}

TEST(Negentropy, AnswersAHostileMessageWithinItsFrameOrRefusesIt) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 chance(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  const Sets sets = sets_of_chance(chance);
  Session client(sets.client, {.frame_limit = 65536});
  const std::string good = client.initiate().value();
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good.substr(0, 1 + chance() % good.size());
    for (std::uint64_t n = chance() % 4; n > 0; --n)
      bad[chance() % bad.size()] = static_cast<char>(chance());
    Session server(sets.server, {.frame_limit = 65536});
    const Result<std::string> answer = server.reconcile(bad);
    if (answer.ok()) {
      EXPECT_LE(answer->size(), 65536u);
    }
  }
}

TEST(Negentropy, TellsAnUnknownVersionItsOwn) {
  VectorStorage none;
  ASSERT_TRUE(none.seal().ok());
  Session server(none, {});
  EXPECT_EQ(server.reconcile("\x62whatever").value(), "\x61");
  EXPECT_EQ(server.reconcile("\x20").status().code(), Code::kInvalid);
  EXPECT_EQ(server.reconcile("").status().code(), Code::kInvalid);
}

TEST(Negentropy, RefusesAnItemThatIsThereTwice) {
  VectorStorage twice;
  twice.insert(1, Id{});
  twice.insert(1, Id{});
  EXPECT_EQ(twice.seal().code(), Code::kInvalid);
}

}  // namespace
}  // namespace rhizome::negentropy
