// The JSON Lines tools: one line out for each line in, whatever comes in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/delta_tools.hpp"
#include "tools/json_lines.hpp"

namespace rhizome::tools {
namespace {

using testing::HasSubstr;

constexpr const char* kClaims =
    R"({"author":"did:key:zAuthorA","timestamp":0,"pointers":[{"role":"title","target":"The Matrix"}]})";

std::pair<int, std::vector<std::string>> run(int (*tool)(std::istream&, std::ostream&),
                                             const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  const int code = tool(in, out);
  std::vector<std::string> lines;
  std::istringstream written(out.str());
  for (std::string line; std::getline(written, line);) lines.push_back(line);
  return {code, lines};
}

TEST(DeltaTools, EncodeAnswersEachLineInOrderAndGoesOnAfterABadOne) {
  const auto [code, lines] = run(delta_encode, std::string(kClaims) + "\nnonsense\n\n" + kClaims);
  EXPECT_EQ(code, 1);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[0],
              HasSubstr("1e2030d96d325c7cfeb599f488598055041fb5303f062d3b32b43d5abedc6d3cee18"));
  EXPECT_THAT(lines[1], HasSubstr("{\"error\":{\"code\":\"invalid\""));
  EXPECT_THAT(lines[2], HasSubstr("error"));
  EXPECT_EQ(lines[3], lines[0]);
}

TEST(DeltaTools, DecodeIsTheWayBack) {
  const auto encoded = run(delta_encode, kClaims);
  const auto [code, lines] = run(delta_decode, encoded.second[0]);
  EXPECT_EQ(code, 0);
  EXPECT_THAT(lines[0], HasSubstr("\"target\":\"The Matrix\""));
  EXPECT_EQ(run(delta_decode, R"({"cbor":"a3"})").first, 1);
}

TEST(DeltaTools, WhatIsSignedVerifiesAndADamagedOneDoesNot) {
  const SigningKey key = SigningKey::generate();
  std::istringstream in(R"({"timestamp":1,"pointers":[{"role":"r","target":1}]})");
  std::ostringstream out;
  EXPECT_EQ(delta_sign(key, in, out), 0);
  EXPECT_THAT(run(delta_verify, out.str()).second.at(0), HasSubstr("\"verdict\":\"verified\""));
  std::string damaged = out.str();
  damaged[damaged.find("\"sig\":\"") + 10] ^= 1;
  EXPECT_THAT(run(delta_verify, damaged).second.at(0), HasSubstr("\"verdict\":\"invalid\""));
  EXPECT_THAT(run(delta_verify, kClaims).second.size(), 1u);
}

TEST(DeltaTools, ClaimsUnderAnothersIdAreInvalidAndToldByTheirOwn) {
  const std::string id = run(delta_encode, kClaims).second.at(0).substr(7, 68);
  const std::string other(id.rbegin(), id.rend());
  const auto [code, lines] =
      run(delta_verify, "{\"claims\":" + std::string(kClaims) + ",\"id\":\"" + other + "\"}");
  EXPECT_EQ(code, 1);
  EXPECT_THAT(lines.at(0), HasSubstr("\"id\":\"" + id + "\""));
  EXPECT_THAT(lines.at(0), HasSubstr("\"verdict\":\"invalid\""));
}

TEST(DeltaTools, TheDigestIsOfTheSet) {
  const auto once = run(delta_digest, kClaims);
  const auto twice = run(delta_digest, std::string(kClaims) + "\n" + kClaims + "\n");
  EXPECT_EQ(once.second, twice.second);
  EXPECT_THAT(once.second[0], HasSubstr("\"count\":1"));
}

TEST(JsonLines, AnOverlongLineIsReportedWithoutBeingKept) {
  std::istringstream in(std::string(kMaxLine + 1000, 'x') + "\nshort\n");
  std::ostringstream out;
  std::vector<std::pair<std::size_t, bool>> seen;
  filter_lines(in, out, [&](const std::string& line, bool too_long) -> LineOut {
    seen.emplace_back(line.size(), too_long);
    return {};
  });
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0], std::pair(kMaxLine, true));
  EXPECT_EQ(seen[1], std::pair(std::size_t{5}, false));
}

}  // namespace
}  // namespace rhizome::tools
