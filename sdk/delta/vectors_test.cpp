// The conformance vectors of the delta format: canonical bytes, ids, signatures, set digest.
#include "vectors.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "rhizome/delta/codec.hpp"
#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {
namespace {

using nlohmann::json;

std::string unhex(const std::string& hex) {
  std::string raw;
  EXPECT_TRUE(from_hex(hex, &raw));
  return raw;
}

// The delta's claims, encoded again from what the flat view says.
std::string encode_again(DeltaView delta) {
  std::vector<Pointer> pointers;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    switch (p.kind()) {
      case RZ_TARGET_STRING:
        pointers.push_back({p.role(), p.target()});
        break;
      case RZ_TARGET_NUMBER:
        pointers.push_back({p.role(), p.number()});
        break;
      case RZ_TARGET_BOOLEAN:
        pointers.push_back({p.role(), p.boolean()});
        break;
      case RZ_TARGET_ENTITY:
        pointers.push_back({p.role(), EntityRef{p.target(), p.context()}});
        break;
      case RZ_TARGET_DELTA:
        pointers.push_back({p.role(), DeltaRef{p.target(), p.context()}});
        break;
      case RZ_TARGET_BYTES:
        pointers.push_back({p.role(), BytesTarget{p.context(), p.target()}});
        break;
      default:
        ADD_FAILURE() << "kind " << p.kind();
    }
  }
  std::string claims;
  const Status status = encode_claims(delta.author(), delta.timestamp(), pointers, claims);
  EXPECT_TRUE(status.ok()) << status.to_string();
  return claims;
}

class CanonicalBytes : public testing::TestWithParam<const char*> {};

TEST_P(CanonicalBytes, DecodeToTheirIdAndEncodeBackByteForByte) {
  REQUIRE_VECTORS(cases, GetParam());
  ASSERT_FALSE(cases->empty());
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const std::string claims = unhex(entry["canonicalCborHex"]);
    DeltaBatch batch;
    ASSERT_EQ(decode_error_name(decode_claims(claims, batch)), "none");
    EXPECT_EQ(to_hex(batch[0].id()), entry["id"]);
    EXPECT_EQ(batch[0].author(), entry["claims"]["author"].get<std::string>());
    EXPECT_EQ(batch[0].timestamp(), entry["claims"]["timestamp"].get<double>());
    EXPECT_EQ(to_hex(encode_again(batch[0])), entry["canonicalCborHex"]);
  }
}
INSTANTIATE_TEST_SUITE_P(Vectors, CanonicalBytes,
                         testing::Values("l0-delta/deltas.json", "l0-delta/deltas-bytes.json",
                                         "l0-delta/deltas-signed.json"));

TEST(Vectors, ScalarsEncodeByteForByte) {
  REQUIRE_VECTORS(cases, "l0-delta/cbor-primitives.json");
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    std::string out;
    const std::string kind = entry["kind"];
    if (kind == "float") {
      cbor_append_float(entry["value"].get<double>(), out);
    } else if (entry["value"].is_string() && kind != "bytes" && kind != "bstr") {
      cbor_append_text(entry["value"].get<std::string>(), out);
    } else {
      continue;  // byte strings and booleans have no scalar encoder of their own
    }
    EXPECT_EQ(to_hex(out), entry["hex"]);
  }
}

TEST(Vectors, SignaturesAreReproducedAndVerify) {
  REQUIRE_VECTORS(cases, "l0-delta/deltas-signed.json");
  REQUIRE_VECTORS(keys, "keys/keys.json");
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    for (const json& key : *keys) {
      if (key["keyId"] != entry["keyId"]) continue;
      std::array<std::uint8_t, 32> seed{};
      const std::string raw = unhex(key["seedHex"]);
      std::copy(raw.begin(), raw.end(), seed.begin());
      const SigningKey signer = SigningKey::from_seed(seed);
      EXPECT_EQ(signer.author(), key["author"]);
      const Signature signature = signer.sign(unhex(entry["id"]));
      EXPECT_EQ(to_hex(view(signature.data(), signature.size())), entry["sig"]);
      EXPECT_TRUE(verify_strict(signer.public_key(), unhex(entry["id"]), unhex(entry["sig"])));
    }
  }
}

TEST(Vectors, TheStrictCriterionHoldsClauseByClause) {
  REQUIRE_VECTORS(cases, "l0-delta/deltas-sig-edge.json");
  for (const json& entry : *cases) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto key = author_key(entry["claims"]["author"].get<std::string>());
    ASSERT_TRUE(key.has_value());
    EXPECT_EQ(verify_strict(*key, unhex(entry["id"]), unhex(entry["sig"])),
              entry["verdict"] == "verified");
  }
}

TEST(Vectors, TheSetDigestIsTheirs) {
  REQUIRE_VECTORS(set, "l0-delta/set-digest.json");
  std::vector<DeltaId> ids;
  for (const json& id : (*set)["ids"]) ids.push_back(*DeltaId::from_hex(id.get<std::string>()));
  std::reverse(ids.begin(), ids.end());
  EXPECT_EQ(set_digest(ids).hex(), (*set)["digest"]);
}

}  // namespace
}  // namespace rhizome
