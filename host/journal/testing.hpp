// For tests and benches alone: deltas with chosen content, as bytes and as admission hands them
// over.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "journal/testing_basics.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::testing_support {

// One delta as bytes.
struct Made {
  std::string claims;
  DeltaId id;
  Signature signature{};

  ByteView signature_bytes() const { return view(signature.data(), signature.size()); }
};

inline Made make_delta(const SigningKey& author, double timestamp,
                       const std::vector<Pointer>& pointers) {
  Made made;
  must(encode_claims(author.author(), timestamp, pointers, made.claims));
  made.id = DeltaId::of_claims(made.claims);
  made.signature = author.sign(made.id.raw());
  return made;
}

// A delta that says one thing of one entity.
inline Made say(const SigningKey& author, const std::string& entity, const std::string& context,
                const Target& value, double timestamp = 1000) {
  return make_delta(author, timestamp, {{"about", EntityRef{entity, context}}, {"value", value}});
}

// The delta in a batch, as admission would hand it to the journal.
inline void add_to(DeltaBatch& batch, const Made& made,
                   std::uint32_t state = RZ_SIGNATURE_VERIFIED) {
  const ByteView signature = state == RZ_SIGNATURE_VERIFIED ? made.signature_bytes() : ByteView();
  if (decode_claims(made.claims, signature, batch) != DecodeError::kNone)
    throw std::runtime_error("not a delta");
  batch.mutable_block(batch.size() - 1)->signature_state = static_cast<std::uint8_t>(state);
}

inline std::vector<DeltaView> views_of(const DeltaBatch& batch) {
  std::vector<DeltaView> views;
  for (std::size_t i = 0; i < batch.size(); ++i) views.push_back(batch[i]);
  return views;
}

}  // namespace rhizome::testing_support
