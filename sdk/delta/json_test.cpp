// The JSON profile: the vectors both ways, everything malformed refused with its place, and
// numbers.
#include "rhizome/delta/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rhizome/testing/relaid.hpp"
#include "vectors.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Profile : public testing::TestWithParam<const char*> {};

TEST_P(Profile, VectorsReadToTheirCanonicalBytesAndAreWrittenBack) {
  REQUIRE_VECTORS(cases, GetParam());
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    std::string claims;
    const Status status = claims_from_json(entry["claims"].dump(), "", claims);
    ASSERT_TRUE(status.ok()) << status.to_string();
    EXPECT_EQ(to_hex(claims), entry["canonicalCborHex"]);
    DeltaBatch batch;
    ASSERT_EQ(decode_claims(claims, batch), DecodeError::kNone);
    std::string written, again;
    claims_to_json(batch[0], written);
    EXPECT_EQ(json::parse(written), entry["claims"]);
    ASSERT_TRUE(claims_from_json(written, "", again).ok());
    EXPECT_EQ(again, claims);
  }
}
INSTANTIATE_TEST_SUITE_P(Vectors, Profile,
                         testing::Values("l0-delta/deltas.json", "l0-delta/deltas-bytes.json",
                                         "l0-delta/deltas-signed.json"));

// A later host appends members to the structs of a flat delta and says so in its two sizes.
TEST(Profile, ADeltaWithALargerHeaderAndStrideReadsTheSame) {
  REQUIRE_VECTORS(cases, "l0-delta/deltas-bytes.json");
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    DeltaBatch batch, copied;
    std::string claims, written, again;
    ASSERT_TRUE(claims_from_json(entry["claims"].dump(), "", claims).ok());
    ASSERT_EQ(decode_claims(claims, batch), DecodeError::kNone);
    EXPECT_EQ(batch.block(0)->header_size, sizeof(rz_delta));
    EXPECT_EQ(batch.block(0)->pointer_stride, sizeof(rz_pointer));
    const testing_support::Relaid larger(batch[0]);
    claims_to_json(batch[0], written);
    claims_to_json(larger.view(), again);
    EXPECT_EQ(again, written);
    EXPECT_EQ(larger.view().claims(), claims);
    copied.append(larger.view());
    EXPECT_EQ(copied[0].size(), batch[0].size());
    EXPECT_EQ(copied[0][0].role(), batch[0][0].role());
  }
}

TEST(Profile, EveryMalformedVectorIsRefused) {
  REQUIRE_VECTORS(cases, "l0-delta/deltas-invalid.json");
  ASSERT_FALSE(cases->empty());
  for (const json& entry : *cases) {
    std::string claims;
    EXPECT_EQ(claims_from_json(entry["claims"].dump(), "", claims).code(), Code::kInvalid)
        << entry["name"];
    EXPECT_EQ(claims, "") << entry["name"];
  }
}

Status read(const std::string& pointers, std::string* claims = nullptr) {
  std::string ours;
  return claims_from_json(R"({"author":"a","timestamp":0,"pointers":)" + pointers + "}", "",
                          claims != nullptr ? *claims : ours);
}

TEST(Profile, ErrorsNameTheirPlace) {
  EXPECT_THAT(read(R"([{"role":"a","target":1},{"role":"b","target":null}])").message(),
              HasSubstr("pointers[1].target: expected a string, a number"));
  EXPECT_THAT(read(R"([{"role":"a","target":{"id":"x","context":""}}])").message(),
              HasSubstr("pointers[0].target.context"));
}

TEST(Profile, ARepeatedKeyIsRefusedAndNeverSilentlyMerged) {
  EXPECT_THAT(read(R"([{"role":"a","role":"b","target":1}])").message(), HasSubstr("stands twice"));
}

TEST(Profile, AnIntegerThatADoubleCannotHoldIsRefusedWithAWayOut) {
  EXPECT_THAT(read(R"([{"role":"a","target":9007199254740993}])").message(),
              HasSubstr("write it as a string"));
  EXPECT_TRUE(read(R"([{"role":"a","target":9007199254740994}])").ok());
  EXPECT_TRUE(read(R"([{"role":"a","target":100000000000000000000}])").ok());
  EXPECT_FALSE(read(R"([{"role":"a","target":1e999}])").ok());
}

TEST(Profile, NumbersAreCorrectlyRoundedAndWrittenShortest) {
  std::string claims;
  ASSERT_TRUE(read(R"([{"role":"a","target":5.960464477539063e-8}])", &claims).ok());
  DeltaBatch batch;
  ASSERT_EQ(decode_claims(claims, batch), DecodeError::kNone);
  EXPECT_EQ(batch[0][0].number(), 0x1p-24);
  std::string written;
  target_to_json(batch[0][0], written);
  EXPECT_EQ(written, "5.960464477539063e-08");
}

TEST(Profile, AnIdThatIsNotTheClaimsIsRefused) {
  DeltaBatch batch;
  const std::string claims =
      R"({"author":"a","timestamp":0,"pointers":[{"role":"r","target":"x"}]})";
  ASSERT_TRUE(delta_from_json(claims, batch).ok());
  const std::string id = to_hex(batch[0].id());
  EXPECT_TRUE(delta_from_json(R"({"id":")" + id + R"(","claims":)" + claims + "}", batch).ok());
  std::string other = id;
  other[10] = other[10] == '0' ? '1' : '0';
  EXPECT_THAT(
      delta_from_json(R"({"id":")" + other + R"(","claims":)" + claims + "}", batch).message(),
      HasSubstr("expected " + id));
  EXPECT_EQ(batch.size(), 2u);
}

TEST(Profile, ControlCharactersSurviveARoundTrip) {
  std::string claims;
  ASSERT_TRUE(encode_claims("a\tb", 1, {{"r\n", ByteView("\x01\"\\", 3)}}, claims).ok());
  DeltaBatch batch;
  ASSERT_EQ(decode_claims(claims, batch), DecodeError::kNone);
  std::string written, again;
  claims_to_json(batch[0], written);
  ASSERT_TRUE(claims_from_json(written, "", again).ok());
  EXPECT_EQ(again, claims);
}

}  // namespace
}  // namespace rhizome
