// The conformance vectors of the delta format: canonical bytes, ids, signatures, set digest.
#include "vectors.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "encode_again.hpp"
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
    EXPECT_EQ(to_hex(encode_again(batch[0]).value_or("refused")), entry["canonicalCborHex"]);
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
    } else if (kind == "tstr") {
      cbor_append_text(entry["value"].get<std::string>(), out);
    } else if (kind == "bstr") {
      cbor_append_bytes(unhex(entry["value"]), out);
    } else {
      ASSERT_EQ(kind, "bool");  // no scalar encoder of its own: taken from a delta that holds it
      ASSERT_TRUE(encode_claims("a", 0, {{"r", entry["value"].get<bool>()}}, out).ok());
      out = out.substr(out.find("target") + 6, 1);
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
