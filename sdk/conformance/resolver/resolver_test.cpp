// A resolver is a pure function of the set of its candidates, and keeps nothing that it borrows.
#include "rhizome/use/resolver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "subject.hpp"

namespace rhizome::conformance {
namespace {

std::vector<std::string> names() {
  std::vector<std::string> found;
  const rz_sink sink{&found, [](void* context, rz_bytes chunk) {
                       static_cast<std::vector<std::string>*>(context)->emplace_back(view(chunk));
                       return std::int32_t{RZ_OK};
                     }};
  rz_error error{};
  EXPECT_EQ(subject()->names(&sink, &error), RZ_OK) << error.message;
  return found;
}

// A candidate that owns its bytes, so that a test can take them away.
struct Claim {
  std::string value, author;
  double timestamp = 0;
  std::uint8_t id = 0;
};
std::vector<rz_candidate> borrow(const std::vector<Claim>& claims) {
  std::vector<rz_candidate> candidates;
  for (const Claim& claim : claims) {
    rz_candidate made{};
    made.value = to_abi(claim.value);
    made.author = to_abi(claim.author);
    made.timestamp = claim.timestamp;
    made.id[0] = 0x1e;
    made.id[1] = 0x20;
    made.id[33] = claim.id;
    made.signature_state = RZ_SIGNATURE_VERIFIED;
    candidates.push_back(made);
  }
  return candidates;
}

class Resolver : public ::testing::Test {
 protected:
  Resolver() {
    const char* given = std::getenv("RHIZOME_SEED");
    seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
  }
  ~Resolver() override {
    if (HasFailure())
      std::fprintf(stderr, "RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
  // Few different times and authors, so that there are ties; a delta has one value.
  std::vector<Claim> random_claims() {
    static constexpr const char* kValues[] = {"0", "false", "\"\"", "5", "\"x\"", "[1,2]", "null"};
    static constexpr const char* kAuthors[] = {"alice", "bob"};
    std::vector<Claim> claims(random_() % 7);
    for (std::size_t i = 0; i < claims.size(); ++i)
      claims[i] = {kValues[random_() % 7], kAuthors[random_() % 2],
                   static_cast<double>(random_() % 3), static_cast<std::uint8_t>(i)};
    return claims;
  }
  std::string resolve(const std::string& name, const std::vector<Claim>& claims) {
    const auto resolver = use::Resolver::create(subject(), name);
    EXPECT_TRUE(resolver.ok()) << name << ": " << resolver.status().to_string();
    if (!resolver.ok()) return "";
    const auto value = resolver->resolve(borrow(claims));
    EXPECT_TRUE(value.ok()) << name << ": " << value.status().to_string();
    return value.ok() && value->has_value() ? **value : "nothing";
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
};

TEST_F(Resolver, ItNamesAtLeastOneAndCreatesWhatItNames) {
  EXPECT_FALSE(names().empty());
  for (const std::string& name : names()) {
    EXPECT_TRUE(use::Resolver::create(subject(), name, "{}").ok()) << name;
    EXPECT_TRUE(use::Resolver::create(subject(), name, "").ok()) << name;
  }
}

TEST_F(Resolver, AnUnknownNameIsNotFoundAndTheKnownOnesAreTold) {
  const auto made = use::Resolver::create(subject(), "no such resolver");
  EXPECT_EQ(made.code(), Code::kNotFound);
  for (const std::string& name : names())
    EXPECT_THAT(made.status().message(), testing::HasSubstr(name));
}

TEST_F(Resolver, AnyOrderGivesTheSameBytes) {
  for (const std::string& name : names())
    for (int round = 0; round < 500; ++round) {
      std::vector<Claim> claims = random_claims();
      const std::string before = resolve(name, claims);
      std::shuffle(claims.begin(), claims.end(), random_);
      ASSERT_EQ(resolve(name, claims), before) << name;
    }
}

TEST_F(Resolver, ACandidateThatComesTwiceChangesNothing) {
  for (const std::string& name : names())
    for (int round = 0; round < 500; ++round) {
      std::vector<Claim> claims = random_claims();
      const std::string before = resolve(name, claims);
      if (claims.empty()) continue;
      for (int copies = 0; copies < 5; ++copies)
        claims.push_back(claims[random_() % claims.size()]);
      ASSERT_EQ(resolve(name, claims), before) << name;
    }
}

TEST_F(Resolver, TheValueIsJsonOrNothing) {
  for (const std::string& name : names())
    for (int round = 0; round < 200; ++round) {
      const std::string value = resolve(name, random_claims());
      if (value == "nothing") continue;
      EXPECT_FALSE(nlohmann::json::parse(value, nullptr, false).is_discarded()) << value;
    }
}

TEST_F(Resolver, NothingBorrowedIsKept) {
  for (const std::string& name : names()) {
    const auto resolver = use::Resolver::create(subject(), std::string(name));
    ASSERT_TRUE(resolver.ok());
    auto first = std::make_unique<std::vector<Claim>>(random_claims());
    const std::vector<Claim> copy = *first;
    (void)resolver->resolve(borrow(*first));
    for (Claim& claim : *first) claim.value.assign(claim.value.size(), '#');
    first.reset();
    const auto again = resolver->resolve(borrow(copy));
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->value_or("nothing"), resolve(name, copy)) << name;
  }
}

TEST_F(Resolver, ASinkThatRefusesEndsTheCallWithItsCode) {
  const rz_sink refusing{nullptr, [](void*, rz_bytes) { return std::int32_t{RZ_NO_SPACE}; }};
  rz_error error{};
  EXPECT_EQ(subject()->names(&refusing, &error), RZ_NO_SPACE);
  const std::vector<Claim> claims = {{"1", "alice", 1, 1}};
  for (const std::string& name : names()) {
    void* handle = nullptr;
    ASSERT_EQ(subject()->create(to_abi(name), {nullptr, 0}, &handle, &error), RZ_OK);
    if (resolve(name, claims) != "nothing") {
      const auto candidates = borrow(claims);
      EXPECT_EQ(subject()->resolve(handle, candidates.data(), 1, &refusing, &error), RZ_NO_SPACE);
    }
    subject()->release(handle);
  }
}

}  // namespace
}  // namespace rhizome::conformance
