// Packs: the vectors byte for byte, any order the same bytes, everything else refused with its
// place.
#include "rhizome/delta/pack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/json.hpp"
#include "vectors.hpp"

namespace rhizome {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string unhex(const std::string& hex) {
  std::string raw;
  EXPECT_TRUE(from_hex(hex, &raw));
  return raw;
}

DeltaBatch read_all(const json& deltas) {
  DeltaBatch batch;
  for (const json& delta : deltas) {
    const Status status = delta_from_json(delta.dump(), batch);
    EXPECT_TRUE(status.ok()) << status.to_string();
  }
  return batch;
}

DeltaId digest_of(const DeltaBatch& batch) {
  std::vector<DeltaId> ids;
  for (std::size_t i = 0; i < batch.size(); ++i) ids.push_back(DeltaId::from_raw(batch[i].id()));
  return set_digest(ids);
}

class PackVectors : public testing::TestWithParam<const char*> {};

TEST_P(PackVectors, ThePackIsTheirsByteForByte) {
  REQUIRE_VECTORS(set, GetParam());
  const DeltaBatch batch = read_all((*set)["deltas"]);
  std::string pack;
  ASSERT_TRUE(encode_pack(batch, pack).ok());
  EXPECT_EQ(to_hex(pack), (*set)["packHex"]);
  EXPECT_EQ(pack_id(pack).hex(), (*set)["packId"]);
}

TEST_P(PackVectors, UnpacksToTheSameSetWithItsSignatures) {
  REQUIRE_VECTORS(set, GetParam());
  DeltaBatch unpacked;
  const Status status = decode_pack(unhex((*set)["packHex"]), unpacked);
  ASSERT_TRUE(status.ok()) << status.to_string();
  const DeltaBatch batch = read_all((*set)["deltas"]);
  ASSERT_EQ(unpacked.size(), batch.size());
  EXPECT_EQ(digest_of(unpacked), digest_of(batch));
  std::size_t is_signed = 0;
  for (std::size_t i = 0; i < unpacked.size(); ++i) {
    if (unpacked[i].signature_state() == RZ_SIGNATURE_UNSIGNED) continue;
    ++is_signed;
    EXPECT_EQ(unpacked[i].signature_state(), RZ_SIGNATURE_UNCHECKED);
  }
  EXPECT_EQ(is_signed, static_cast<std::size_t>(
                           std::count_if((*set)["deltas"].begin(), (*set)["deltas"].end(),
                                         [](const json& d) { return d.contains("sig"); })));
}

TEST_P(PackVectors, AnyDamagedByteIsRefused) {
  REQUIRE_VECTORS(set, GetParam());
  const std::string pack = unhex((*set)["packHex"]);
  // A damaged signature is still 64 bytes: whether it is right is the door's question, not the
  // pack's.
  for (std::size_t i = 0; i < pack.size(); ++i) {
    for (const int bit : {1, 16, 128}) {
      std::string damaged = pack;
      damaged[i] = static_cast<char>(damaged[i] ^ bit);
      DeltaBatch batch;
      if (!decode_pack(damaged, batch).ok()) {
        EXPECT_TRUE(batch.empty());
        continue;
      }
      std::string again;
      ASSERT_TRUE(encode_pack(batch, again).ok());
      EXPECT_EQ(again, damaged) << "byte " << i;
      EXPECT_EQ(digest_of(batch), digest_of(read_all((*set)["deltas"]))) << "byte " << i;
    }
  }
  for (std::size_t size = 0; size < pack.size(); ++size) {
    DeltaBatch batch;
    EXPECT_FALSE(decode_pack(ByteView(pack).substr(0, size), batch).ok()) << size;
  }
  DeltaBatch batch;
  EXPECT_THAT(decode_pack(pack + '\0', batch).message(), HasSubstr("trailing"));
}
INSTANTIATE_TEST_SUITE_P(Vectors, PackVectors,
                         testing::Values("l0-pack/pack.json", "l0-pack/pack-bytes.json"));

std::string delta(ByteView author, double time, const std::vector<Pointer>& pointers,
                  DeltaBatch& out) {
  std::string claims;
  EXPECT_TRUE(encode_claims(author, time, pointers, claims).ok());
  EXPECT_EQ(decode_claims(claims, out), DecodeError::kNone);
  return to_hex(out[out.size() - 1].id());
}

std::string manifest(double time, const std::vector<std::string>& members, DeltaBatch& out) {
  std::vector<Pointer> pointers;
  for (const std::string& member : members)
    pointers.push_back({"rhizomatic.txn.member", DeltaRef{member}});
  return delta("did:key:zBundler", time, pointers, out);
}

void expect_round_trip(const DeltaBatch& batch) {
  std::string pack;
  const Status packed = encode_pack(batch, pack);
  ASSERT_TRUE(packed.ok()) << packed.to_string();
  DeltaBatch back;
  const Status unpacked = decode_pack(pack, back);
  ASSERT_TRUE(unpacked.ok()) << unpacked.to_string();
  EXPECT_EQ(digest_of(back), digest_of(batch));
}

TEST(Pack, OfNothingIsAPack) { expect_round_trip({}); }

TEST(Pack, AnyOrderAndAnyRepetitionGiveTheSameBytes) {
  DeltaBatch batch;
  std::vector<std::string> members;
  for (int i = 0; i < 50; ++i)
    members.push_back(delta(i % 3 == 0 ? "a" : "b", i, {{"value", double(i)}}, batch));
  manifest(7, {members[1], members[2], members[3]}, batch);
  manifest(8, {members[3], members[4]}, batch);
  std::vector<DeltaView> views;
  for (std::size_t i = 0; i < batch.size(); ++i) views.push_back(batch[i]);
  std::string first;
  ASSERT_TRUE(encode_pack(views, first).ok());
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(views.begin(), views.end(), random);
    std::vector<DeltaView> twice = views;
    twice.insert(twice.end(), views.begin(), views.begin() + 10);
    std::string pack;
    ASSERT_TRUE(encode_pack(twice, pack).ok());
    EXPECT_EQ(pack, first);
  }
  expect_round_trip(batch);
}

TEST(Pack, AManifestThatAnotherManifestClaimsStaysWhole) {
  DeltaBatch batch;
  const std::string member = delta("a", 1, {{"value", true}}, batch);
  const std::string inner = manifest(2, {member}, batch);
  manifest(3, {inner}, batch);
  expect_round_trip(batch);
}

TEST(Pack, ATimeThatADifferenceCannotRestoreKeepsTheDeltaWhole) {
  DeltaBatch batch;
  const std::string far = delta("a", 1e300, {{"value", 1.0}}, batch);
  const std::string near = delta("a", 1, {{"value", 2.0}}, batch);
  const std::string extreme = delta("a", -1.7e308, {{"value", 3.0}}, batch);
  manifest(1.7e308, {far, near, extreme}, batch);
  manifest(0.1, {near}, batch);
  expect_round_trip(batch);
}

TEST(Pack, AVersionOfTheFutureIsNamed) {
  std::string pack;
  ASSERT_TRUE(encode_pack(DeltaBatch(), pack).ok());
  const std::size_t at = pack.find("version") + 7;
  pack.replace(at, 3, "\xf9\x40\x00", 3);  // 2
  DeltaBatch batch;
  const Status status = decode_pack(pack, batch);
  EXPECT_EQ(status.code(), Code::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("version 2"));
}

TEST(Pack, SmallBytesThatWouldBecomeHugeAreStopped) {
  DeltaBatch batch;
  const std::string big(900'000, 'x');
  for (int i = 0; i < 400; ++i) delta("a", i, {{"value", ByteView(big)}}, batch);
  std::string pack;
  ASSERT_TRUE(encode_pack(batch, pack).ok());
  EXPECT_LT(pack.size(), 2u << 20);
  DeltaBatch back;
  EXPECT_EQ(decode_pack(pack, back).code(), Code::kLimit);
  EXPECT_TRUE(back.empty());
}

}  // namespace
}  // namespace rhizome
