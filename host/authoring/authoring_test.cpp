// The local door: clock, NFC, signatures, manifests, transactions.
#include "authoring/authoring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "authoring/lines.hpp"
#include "authoring/testing.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome {
namespace {

using testing::HasSubstr;
using testing_support::Doors;
using testing_support::Made;

std::string claims(const std::string& entity, const std::string& value_json) {
  return R"({"pointers":[{"role":"subject","target":{"id":")" + entity +
         R"(","context":"p"}},{"role":"value","target":)" + value_json + "}]}";
}

class AuthoringTest : public testing::Test, protected Doors {
 protected:
  std::string json_at(Seq seq) {
    std::string text;
    delta_to_json(at(seq), text);
    return text;
  }
  std::string whole(const Made& made) {
    DeltaBatch batch;
    EXPECT_EQ(decode_claims(made.claims, made.signature, batch), DecodeError::kNone);
    std::string text;
    delta_to_json(batch[0], text);
    return text;
  }
};

TEST_F(AuthoringTest, ClaimsAreSignedNumberedAndDatedByTheAuthorsClock) {
  const Written written = write({claims("e", "1")});
  ASSERT_EQ(written.added, 1U);
  const DeltaView delta = at(written.results[0].seq);
  EXPECT_EQ(delta.author(), author.author());
  EXPECT_EQ(delta.timestamp(), 1700000000000);
  EXPECT_EQ(delta.signature_state(), RZ_SIGNATURE_VERIFIED);
  ASSERT_TRUE(written.token);
  EXPECT_EQ(written.token->n, 1U);
  EXPECT_THAT(written.token->to_string(), testing::StartsWith(node.author() + "/"));
}

TEST_F(AuthoringTest, TwoWritesInOneMillisecondKeepTheirOrderAndTwoEqualOnesStayTwo) {
  const Written written = write({claims("e", "5"), claims("e", "5")});
  EXPECT_EQ(written.added, 2U);
  const Written third = write({claims("e", "5")});
  EXPECT_EQ(third.added, 1U);
  const double first = at(written.results[0].seq).timestamp();
  const double second = at(written.results[1].seq).timestamp();
  EXPECT_LT(first, second);
  EXPECT_LT(second, at(third.results[0].seq).timestamp());
  EXPECT_LT(second - first, 1);
}

TEST_F(AuthoringTest, TheClockNeverGoesBackThoughTheMachinesDoesAndTheNodeStartsAgain) {
  const double before = at(write({claims("e", "1")}).results[0].seq).timestamp();
  executor.now_ms -= 3600 * 1000;
  EXPECT_GT(at(write({claims("e", "2")}).results[0].seq).timestamp(), before);
  Authoring again(*journal, admission, author, node, executor);  // what a restart makes anew
  const std::string line = claims("e", "3");
  const Result<Written> written = again.write(drafts({line}));
  ASSERT_TRUE(written.ok());
  EXPECT_GT(at(written->results[0].seq).timestamp(), before);
}

TEST_F(AuthoringTest, AGivenTimestampIsKept) {
  const Written written =
      write({R"({"timestamp":12.5,"pointers":[{"role":"value","target":"x"}]})"});
  EXPECT_EQ(at(written.results[0].seq).timestamp(), 12.5);
}

TEST_F(AuthoringTest, RolesAndValuesNamedLikeKeysAreOnlyRolesAndValues) {
  const Written written = write(
      {R"({"pointers":[{"role":"author","target":"timestamp"},{"role":"claims","target":"author"}]})",
       R"( {"pointers":[{"role":"timestamp","target":"\"claims\":"},{"role":"r","target":1}]})"});
  EXPECT_EQ(written.added, 2U) << written.results[0].problem << written.results[1].problem;
}

TEST_F(AuthoringTest, TextsAreComposedHoweverTheyAreWritten) {
  const std::string decomposed = "e\xCC\x81";  // e and a combining acute
  const Written raw = write({claims(decomposed, "\"" + decomposed + "\"")});
  const Written escaped = write({claims("e\\u0301", "\"e\\u0301\"")});
  for (const Written* written : {&raw, &escaped}) {
    ASSERT_EQ(written->added, 1U);
    const DeltaView delta = at(written->results[0].seq);
    EXPECT_EQ(delta[0].target(), "\xC3\xA9");
    EXPECT_EQ(delta[1].target(), "\xC3\xA9");
  }
}

TEST_F(AuthoringTest, WhatComesWholeIsNeverTouched) {
  const Made made = testing_support::say(other, 5, "e", "p", ByteView("e\xCC\x81"));
  const Written written = write({whole(made)});
  ASSERT_EQ(written.added, 1U);
  EXPECT_EQ(at(written.results[0].seq)[1].target(), "e\xCC\x81");
  EXPECT_EQ(written.results[0].id, made.id());
}

TEST_F(AuthoringTest, AWrongSignatureOrIdIsRefusedAndTheRestGoesOn) {
  Made forged = testing_support::say(other, 5, "e", "p", 1.0);
  forged.signature[3] ^= 1;
  std::string renamed = whole(testing_support::say(other, 6, "e", "p", 2.0));
  renamed[renamed.find("1e20") + 10] ^= 1;
  const Written written = write({whole(forged), renamed, "nonsense", claims("e", "3")});
  EXPECT_EQ(written.refused, 3U);
  EXPECT_EQ(written.added, 1U);
  EXPECT_EQ(written.results[0].problem, "bad_signature");
  EXPECT_THAT(written.results[2].problem, HasSubstr("expected an object"));
}

TEST_F(AuthoringTest, AnIntegerThatADoubleCannotHoldIsRefusedWithTheReason) {
  const Written written = write({claims("e", "9007199254740993")});
  EXPECT_EQ(written.refused, 1U);
  EXPECT_THAT(written.results[0].problem, HasSubstr("write it as a string"));
}

TEST_F(AuthoringTest, AManifestComesFirstAndItsMembersNeedNoSignature) {
  const Written written = write({claims("a", "1"), claims("b", "2")}, {Cover::kManifest});
  ASSERT_EQ(written.added, 2U);
  ASSERT_TRUE(written.manifest);
  EXPECT_EQ(DeltaId::from_raw(at(1).id()), *written.manifest);
  EXPECT_THAT(json_at(1), HasSubstr("\"sig\""));
  for (const DraftResult& line : written.results) {
    EXPECT_EQ(at(line.seq).signature_state(), RZ_SIGNATURE_VERIFIED);
    EXPECT_THAT(json_at(line.seq), testing::Not(HasSubstr("\"sig\"")));
  }
  EXPECT_EQ(written.token->n, 3U);
  EXPECT_EQ(admission.counters().signature_checks, 0U) << "it was signed a moment ago";
}

TEST_F(AuthoringTest, ImportingTheSameAgainAddsNothingNotEvenAManifest) {
  const std::string line = R"({"timestamp":1,"pointers":[{"role":"value","target":"x"}]})";
  EXPECT_EQ(write({line}, {Cover::kManifest}).added, 1U);
  const Seq last = journal->last();
  const Written again = write({line}, {Cover::kManifest});
  EXPECT_EQ(again.known, 1U);
  EXPECT_FALSE(again.manifest);
  EXPECT_EQ(journal->last(), last);
}

TEST_F(AuthoringTest, AnImportVouchesForUnsignedDeltasOfOthers) {
  const Made made = testing_support::make(other, 7, {{"r", ByteView("v")}}, /*sign=*/false);
  const Written alone = write({whole(made)});
  EXPECT_EQ(at(alone.results[0].seq).signature_state(), RZ_SIGNATURE_UNSIGNED) << "stays local";
  const Written imported = write({whole(made)}, {Cover::kManifest});
  EXPECT_TRUE(imported.manifest);
  EXPECT_EQ(at(alone.results[0].seq).signature_state(), RZ_SIGNATURE_VOUCHED);
  EXPECT_FALSE(write({whole(made)}, {Cover::kManifest}).manifest) << "once is enough";
}

TEST_F(AuthoringTest, ExportedMembersNeedNoSecondManifest) {
  const std::vector<Made> members{testing_support::make(other, 1, {{"r", 1.0}}, false),
                                  testing_support::make(other, 2, {{"r", 2.0}}, false)};
  const Made list = testing_support::manifest(other, 3, members);
  const Written first = write({whole(list), whole(members[0])}, {Cover::kManifest});
  const Written second = write({whole(members[1])}, {Cover::kManifest});
  EXPECT_FALSE(first.manifest);
  EXPECT_FALSE(second.manifest);
  EXPECT_EQ(at(second.results[0].seq).signature_state(), RZ_SIGNATURE_VERIFIED);
  EXPECT_EQ(journal->stats().deltas, 3U);
}

TEST_F(AuthoringTest, OneBadLineRefusesItsWholeTransaction) {
  const Written written =
      write({claims("a", "1"), R"({"pointers":[]})", claims("b", "2")}, {Cover::kTransaction});
  EXPECT_EQ(written.refused, 3U);
  EXPECT_EQ(journal->stats().deltas, 0U);
  EXPECT_THAT(written.results[0].problem, HasSubstr("another delta"));
  const Made foreign = testing_support::say(other, 1, "e", "p", 1.0);
  EXPECT_EQ(write({claims("a", "1"), whole(foreign)}, {Cover::kTransaction}).refused, 2U);
}

TEST_F(AuthoringTest, ATransactionIsOneManifestOverAllOrRefused) {
  std::vector<std::string> lines;
  for (int i = 0; i < 3000; ++i) lines.push_back(claims("e" + std::to_string(i), "1"));
  EXPECT_EQ(write(lines, {Cover::kTransaction}).added, 3000U);
  EXPECT_EQ(journal->stats().deltas, 3001U);
  lines.resize(4097, claims("more", "1"));
  const Result<Written> over = authoring.write(drafts(lines), {Cover::kTransaction});
  EXPECT_EQ(over.code(), Code::kLimit);
  EXPECT_THAT(over.status().message(), HasSubstr("expected 1 to 4096 deltas, found 4097"));
}

TEST_F(AuthoringTest, AReplacingWriteComesBehindAValueThatIsDatedAhead) {
  const double ahead = 1700000000000 + 60 * 1000;
  receive({testing_support::say(other, ahead, "e", "p", 1.0)});
  WriteOptions options;
  options.replace = true;
  const Written written = write({claims("e", "2")}, options);
  EXPECT_GT(at(written.results[0].seq).timestamp(), ahead);
  const Written elsewhere = write({claims("f", "2")}, options);
  EXPECT_LT(at(elsewhere.results[0].seq).timestamp(), ahead)
      << "the author's clock does not follow";
}

TEST_F(AuthoringTest, ADateFarAheadDragsNoWriteAfterIt) {
  receive({testing_support::say(other, 4e12, "e", "p", 1.0)});
  WriteOptions options;
  options.replace = true;
  EXPECT_LT(at(write({claims("e", "2")}, options).results[0].seq).timestamp(), 1.8e12);
}

TEST(TopLevelKeys, AreFoundWhateverStandsInStringsAndBelow) {
  const authoring::Keys none = authoring::top_level_keys(
      R"({"a":{"author":1,"b":["timestamp",{"claims":2}]},"c":"\",\"author\":"})");
  EXPECT_TRUE(none.object);
  EXPECT_FALSE(none.author || none.claims);
  const authoring::Keys all =
      authoring::top_level_keys(R"( {"timestamp" : 1,"x":[[]],"author":"a","claims":{}})");
  EXPECT_TRUE(all.author && all.claims);
  for (const char* odd : {"", "[]", "{", "{\"", "{\"author", "\"author\":", "}}}{", "{\"a\\"})
    EXPECT_FALSE(authoring::top_level_keys(odd).author) << odd;
}

}  // namespace
}  // namespace rhizome
