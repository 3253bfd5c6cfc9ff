// The seed lineage's forms: what they become, that nothing is lost, and what is refused.
#include "rhizome/delta/lineage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rhizome/delta/json.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;

constexpr const char* kV1 =
    R"({"id":"d1","host":"h","creator":"alice","timeCreated":1717977600000123,"pointers":[)"
    R"({"localContext":"actor","target":"keanu","targetContext":"roles"},)"
    R"({"localContext":"salary","target":1000000},{"localContext":"note","target":"neo"},)"
    R"({"localContext":"paid","target":true}]})";
constexpr const char* kV2 =
    R"({"id":"d1","host":"h","creator":"alice","timeCreated":1717977600000123,"pointers":{)"
    R"("actor":{"keanu":"roles"},"salary":1000000,"note":"neo","paid":true}})";

std::string read(const std::string& json) {
  std::string claims;
  const Status status = claims_from_lineage(json, claims);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return claims;
}

std::string profile(const std::string& claims) {
  DeltaBatch batch;
  EXPECT_EQ(decode_claims(claims, batch), DecodeError::kNone);
  std::string out;
  claims_to_json(batch[0], out);
  return out;
}

Result<std::string> write(const std::string& claims, LineageForm form) {
  DeltaBatch batch;
  EXPECT_EQ(decode_claims(claims, batch), DecodeError::kNone);
  std::string out;
  RZ_TRY(delta_to_lineage(batch[0], form, "here", out));
  return out;
}

std::string refusal(const std::string& json) {
  std::string claims = "kept";
  const Status status = claims_from_lineage(json, claims);
  EXPECT_EQ(status.code(), Code::kInvalid) << json;
  EXPECT_EQ(claims, "kept");
  return status.message();
}

std::string v1(const std::string& pointers) {
  return R"({"id":"i","host":"h","creator":"c","timeCreated":1,"pointers":)" + pointers + "}";
}

TEST(Lineage, BothFormsOfADeltaBecomeTheSameClaims) {
  EXPECT_EQ(profile(read(kV1)),
            R"({"author":"alice","timestamp":1717977600000.123,"pointers":[)"
            R"({"role":"actor","target":{"id":"keanu","context":"roles"}},)"
            R"({"role":"salary","target":1000000},{"role":"note","target":"neo"},)"
            R"({"role":"paid","target":true},{"role":"rhizome.lineage.id","target":"d1"},)"
            R"({"role":"rhizome.lineage.host","target":"h"},)"
            R"({"role":"rhizome.lineage.created","target":1717977600000123}]})");
  EXPECT_EQ(read(kV1), read(kV2));
}

TEST(Lineage, WhatWasImportedIsExportedAsItWas) {
  EXPECT_EQ(*write(read(kV1), LineageForm::kV1), kV1);
  EXPECT_EQ(*write(read(kV2), LineageForm::kV2), kV2);
}

TEST(Lineage, ADeltaOfOursIsExportedUnderItsIdAndOurHost) {
  std::string claims;
  ASSERT_TRUE(encode_claims("bob", 2.5, {{"film", EntityRef{"the_matrix", "cast"}}}, claims).ok());
  EXPECT_EQ(*write(claims, LineageForm::kV1),
            R"({"id":")" + DeltaId::of_claims(claims).hex() +
                R"(","host":"here","creator":"bob","timeCreated":2500,"pointers":[)"
                R"({"localContext":"film","target":"the_matrix","targetContext":"cast"}]})");
}

TEST(Lineage, ANegationOfADeltaOfOursStaysOneBothWays) {
  const std::string id = "1e20" + std::string(64, 'a');
  std::string claims;
  ASSERT_TRUE(encode_claims("bob", 1, {{"negates", DeltaRef{id}}}, claims).ok());
  const Result<std::string> written = write(claims, LineageForm::kV2);
  ASSERT_TRUE(written.ok());
  EXPECT_THAT(*written, HasSubstr(R"("_negates":{")" + id + R"(":"negated_by"})"));
  EXPECT_THAT(profile(read(*written)),
              HasSubstr(R"({"role":"negates","target":{"delta":")" + id + R"("}})"));
}

TEST(Lineage, ARepeatedKeyIsRefusedAndNeverSilentlyMerged) {
  EXPECT_THAT(refusal(v1(R"({"a":1,"a":2})")), HasSubstr("pointers.a: the key stands twice"));
  EXPECT_THAT(refusal(v1(R"({"a":{"x":"c","x":"d"}})")), HasSubstr("pointers.a.x"));
  EXPECT_THAT(refusal(v1(R"({"a":1,"\u0061":2})")), HasSubstr("stands twice"));
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_THAT(refusal(v1(many + "\"k50\":2}")), HasSubstr("pointers.k50: the key stands twice"));
}

TEST(Lineage, WhatADeltaCannotHoldIsRefusedWithItsPlace) {
  EXPECT_THAT(refusal(v1(R"([{"localContext":"a","target":null}])")),
              HasSubstr("pointers[0].target: null has no place"));
  EXPECT_THAT(refusal(v1(R"([{"localContext":"a","target":5,"targetContext":"c"}])")),
              HasSubstr("pointers[0].target: expected a string"));
  EXPECT_THAT(refusal(v1(R"([{"localContext":"a","target":"e","targetContext":""}])")),
              HasSubstr("empty context"));
  EXPECT_THAT(refusal(v1(R"([{"localContext":"","target":"e"}])")), HasSubstr("role: empty"));
  EXPECT_THAT(refusal(v1(R"([{"target":"e"}])")), HasSubstr("pointers[0].localContext: missing"));
  EXPECT_THAT(refusal(v1(R"({"a":{}})")), HasSubstr("pointers.a: no entity"));
  EXPECT_THAT(refusal(v1("[]")), HasSubstr("pointers: none"));
  EXPECT_THAT(refusal(v1(R"([{"localContext":"a","target":9007199254740993}])")),
              HasSubstr("write it as a string"));
  EXPECT_THAT(refusal(v1(R"({"rhizome.lineage.id":"x"})")), HasSubstr("kept for imports"));
  EXPECT_THAT(refusal(R"({"id":"i","host":"h","creator":"c","pointers":{"a":1}})"),
              HasSubstr("timeCreated: missing"));
  EXPECT_THAT(refusal(R"({"id":"i","extra":1})"), HasSubstr("extra: unknown key"));
}

TEST(Lineage, WhatTheFormsCannotSayIsNotExportedWrongly) {
  const std::string id = "1e20" + std::string(64, 'a');
  const std::vector<std::vector<Pointer>> cases = {
      {{"icon", BytesTarget{"image/png", "x"}}},   {{"subject", EntityRef{"e"}}},
      {{"rhizomatic.txn.member", DeltaRef{id}}},   {{"negates", DeltaRef{id, "audit"}}},
      {{"_negates", EntityRef{id, "negated_by"}}},
  };
  for (const std::vector<Pointer>& pointers : cases) {
    std::string claims;
    ASSERT_TRUE(encode_claims("a", 1, pointers, claims).ok());
    for (const LineageForm form : {LineageForm::kV1, LineageForm::kV2})
      EXPECT_EQ(write(claims, form).code(), Code::kUnsupported) << pointers[0].role;
  }
  std::string twice;
  ASSERT_TRUE(encode_claims("a", 1, {{"r", 1.0}, {"r", 2.0}}, twice).ok());
  EXPECT_TRUE(write(twice, LineageForm::kV1).ok());
  EXPECT_THAT(write(twice, LineageForm::kV2).status().message(), HasSubstr("V1 can"));
}

TEST(Lineage, SeveralEntitiesInOneRoleKeepTheirOrder) {
  const std::string json = v1(R"({"cast":{"keanu":"roles","carrie":"roles"},"year":1999})");
  EXPECT_EQ(*write(read(json), LineageForm::kV2), json);
}

}  // namespace
}  // namespace rhizome
