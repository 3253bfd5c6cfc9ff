// What a transport may have signed by the node key, and what not.
#include "links/identity.hpp"

#include <gtest/gtest.h>

#include "rhizome/bytes.hpp"
#include "rhizome/delta/id.hpp"

namespace rhizome {
namespace {

class Identity : public ::testing::Test {
 protected:
  std::int32_t sign(ByteView message) {
    return identity_.abi().sign(identity_.abi().sign_context, to_abi(message), signature_.data(),
                                &error_);
  }
  const SigningKey key_ = SigningKey::generate();
  const TransportIdentity identity_{key_};
  Signature signature_{};
  rz_error error_{};
};

TEST_F(Identity, ItsLinkKeyFollowsFromItsNodeKey) {
  std::uint8_t derived[32];
  PublicKey node;
  std::copy_n(identity_.abi().node_public_key, node.size(), node.begin());
  ASSERT_TRUE(link_key_of(node, derived));
  EXPECT_EQ(view(derived, 32), view(identity_.abi().link_public_key, 32));
}

TEST_F(Identity, ATransportGetsASignatureForItsOwnProtocol) {
  const ByteView message = "TLS 1.3, server CertificateVerify";
  ASSERT_EQ(sign(message), RZ_OK);
  EXPECT_TRUE(verify_strict(key_.public_key(), message, view(signature_.data(), 64)));
  EXPECT_EQ(sign(""), RZ_OK);
}

TEST_F(Identity, ATransportGetsNoSignatureOfADeltaOrAFrame) {
  EXPECT_EQ(sign(DeltaId::of_claims("claims").raw()), RZ_DENIED);
  EXPECT_EQ(sign("rhizome.frame.v1 and a hash"), RZ_DENIED);
  EXPECT_EQ(sign("rhizome.labels.v1"), RZ_DENIED);
  EXPECT_NE(std::string(error_.message).find("only for handshakes"), std::string::npos);
}

}  // namespace
}  // namespace rhizome
