// Signing and checking publications.
#include "session/publication.hpp"

namespace rhizome::session {

namespace {

constexpr ByteView kDomain = "rhizome.publication.v1";

void put_counter(std::uint64_t counter, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(counter >> shift));
}

std::string signed_text(const wire::FabricId& fabric, const BootNonce& boot, ByteView topic,
                        std::uint64_t counter, ByteView body) {
  std::string head;
  head.append(view(fabric.data(), fabric.size())).append(view(boot.data(), boot.size()));
  put_counter(counter, head);
  head.push_back(static_cast<char>(topic.size()));  // at most RZ_TOPIC_MAX_SIZE, 64
  const Hash256 hash = blake3(head, topic, body);
  std::string text(kDomain);
  text.append(view(hash.data(), hash.size()));
  return text;
}

}  // namespace

std::string Publisher::publish(ByteView topic, ByteView body) {
  auto found = next_.find(topic);
  if (found == next_.end()) found = next_.emplace(topic, 0).first;
  const std::uint64_t counter = found->second++;
  const Signature signature =
      local_.key->sign(signed_text(local_.fabric, local_.boot, topic, counter, body));
  std::string out;
  out.reserve(kPublicationHeader + body.size());
  out.push_back(static_cast<char>(wire::Kind::kPublication));
  out.push_back(static_cast<char>(wire::Lane::kLive));
  put_counter(counter, out);
  out.append(view(signature.data(), signature.size()));
  out.append(body);
  return out;
}

Result<ByteView> Subscriber::take(ByteView topic, ByteView frame, const wire::FabricId& fabric,
                                  const PublicKey& publisher, const BootNonce& boot) {
  const Status refused(Code::kCorrupt,
                       "publication: not signed by its publisher for this topic, or one that came "
                       "before");
  if (frame.size() < kPublicationHeader) return refused;
  std::uint64_t counter = 0;
  for (const char c : frame.substr(2, 8)) counter = counter << 8 | static_cast<std::uint8_t>(c);
  const auto found = seen_.find(topic);
  if (found == seen_.end() && seen_.size() >= kMaxTopics)
    return Status(Code::kLimit, "publication: of more topics than one connection may bring");
  if (found != seen_.end() && !found->second.is_fresh(counter)) return refused;
  const ByteView signature = frame.substr(10, sizeof(Signature));
  const ByteView body = frame.substr(kPublicationHeader);
  if (!verify_strict(publisher, signed_text(fabric, boot, topic, counter, body), signature))
    return refused;
  (found == seen_.end() ? seen_[std::string(topic)] : found->second).note(counter);
  return body;
}

}  // namespace rhizome::session
