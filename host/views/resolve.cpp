// From candidates to the ABI's form. What the resolver does not read stays zero: looking up
// identities and extents costs reads of the journal, and a resolver that used an input that it did
// not declare would differ between hosts that fill in more and hosts that fill in less.
#include "views/resolve.hpp"

#include <cstring>

namespace rhizome {

namespace {

std::uint32_t abi_kind(ValueKind kind) {
  switch (kind) {
    case ValueKind::kString:
      return RZ_TARGET_STRING;
    case ValueKind::kNumber:
      return RZ_TARGET_NUMBER;
    case ValueKind::kBoolean:
      return RZ_TARGET_BOOLEAN;
    case ValueKind::kReference:
      return RZ_TARGET_ENTITY;
    case ValueKind::kDelta:
      return RZ_TARGET_DELTA;
    case ValueKind::kBytes:
      return RZ_TARGET_BYTES;
    case ValueKind::kNull:
      return RZ_VALUE_NULL;
    default:
      return RZ_VALUE_OBJECT;
  }
}

rz_bytes key_bytes(const PublicKey& key) { return to_abi(view(key.data(), key.size())); }

}  // namespace

Status ResolverInput::add(ByteView entity, const Property& property,
                          const std::vector<DeltaView>& deltas) {
  std::vector<rz_candidate>& made = candidates_.emplace_back();
  made.reserve(property.candidates.size());
  for (std::size_t i = 0; i < property.candidates.size(); ++i) {
    const Candidate& candidate = property.candidates[i];
    rz_candidate& out = made.emplace_back();
    out.kind = abi_kind(candidate.value.kind);
    out.number = candidate.value.number;
    out.text = to_abi(candidate.value.text);
    out.context = to_abi(candidate.value.context);
    std::memcpy(out.id, candidate.place.id.bytes.data(), sizeof out.id);
    if (resolver_.reads(RZ_INPUT_JSON)) out.json = to_abi(candidate.value.json);
    if (resolver_.reads(RZ_INPUT_TIMESTAMP)) out.timestamp = candidate.timestamp;
    if (resolver_.reads(RZ_INPUT_SEQ)) out.seq = candidate.place.seq;
    if (resolver_.reads(RZ_INPUT_SIGNATURE))
      out.signature_state = static_cast<std::uint8_t>(candidate.signature_state);
    if (resolver_.reads(RZ_INPUT_IDENTITIES)) RZ_TRY(add_identities(deltas[i], candidate, out));
    if (resolver_.reads(RZ_INPUT_EXTENT | RZ_INPUT_CONFIDENCE))
      RZ_TRY(add_annotation(candidate, out));
  }
  properties_.push_back({to_abi(entity), to_abi(property.name), made.data(), made.size(),
                         static_cast<std::uint32_t>(sizeof(rz_candidate)), 1});
  return {};
}

Status ResolverInput::add_identities(DeltaView delta, const Candidate& candidate,
                                     rz_candidate& out) {
  std::vector<PublicKey>& keys = keys_.emplace_back();
  std::vector<rz_identity>& identities = identities_.emplace_back();
  const rz_bytes name = to_abi(candidate.author);
  if (candidate.signature_state == RZ_SIGNATURE_VERIFIED) {
    if (const auto own = author_key(candidate.author)) keys.push_back(*own);
    for (const PublicKey& key : keys) identities.push_back({key_bytes(key), name, 1, 0});
  } else if (candidate.signature_state == RZ_SIGNATURE_VOUCHED) {
    Result<std::vector<PublicKey>> vouchers = visibility_.vouchers(delta);
    if (!vouchers.ok()) return std::move(vouchers).status();
    keys = std::move(*vouchers);
    for (const PublicKey& key : keys) identities.push_back({key_bytes(key), name, 0, 0});
  }
  if (identities.empty()) identities.push_back({{nullptr, 0}, name, 0, 0});
  out.identities = identities.data();
  out.identity_count = static_cast<std::uint32_t>(identities.size());
  return {};
}

Status ResolverInput::add_annotation(const Candidate& candidate, rz_candidate& out) {
  if (annotator_ == nullptr) return {};
  const Result<Annotation> annotation = annotator_->annotate({&candidate.place.seq, 1});
  if (!annotation.ok()) return annotation.status();
  if (resolver_.reads(RZ_INPUT_EXTENT)) {
    out.held = static_cast<std::uint32_t>(annotation->held);
    out.voters = static_cast<std::uint32_t>(annotation->voters);
  }
  if (resolver_.reads(RZ_INPUT_CONFIDENCE)) {
    out.durability = annotation->durability;
    out.belief = annotation->belief;
  }
  return {};
}

}  // namespace rhizome
