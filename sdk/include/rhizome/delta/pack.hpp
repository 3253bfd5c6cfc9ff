// Packs (SPEC-8): a set of deltas as one canonical CBOR item, for archives, backups and transfers.
// Strings are kept once, and the members of a transaction shed what they share with its manifest.
// The same set gives the same bytes, whatever its order. Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "rhizome/delta/codec.hpp"

namespace rhizome {

// What a pack holds is held in memory while it is read or written. Larger sets go into several.
inline constexpr std::size_t kPackMaxBytes = 64u << 20;      // of the pack
inline constexpr std::size_t kPackMaxUnpacked = 256u << 20;  // of the flat deltas that it becomes
inline constexpr std::size_t kPackMaxDeltas = 1u << 20;

// The pack of the set, appended to `out`; a delta that comes twice is packed once, with a signature
// where one of its copies has one. Signatures are kept as they are, checked or not.
// kLimit where it is over a bound; `out` is then as before.
Status encode_pack(const std::vector<DeltaView>& deltas, std::string& out);
Status encode_pack(const DeltaBatch& deltas, std::string& out);

// The deltas of a pack, appended to `out` in the order envelopes, members, loose, with their
// signatures (state UNCHECKED) or without (UNSIGNED). Every id is computed again from the claims
// and every byte must be what encode_pack writes for this set. kInvalid or kLimit, with the place
// of what is wrong; `out` is then as before.
Status decode_pack(ByteView pack, DeltaBatch& out);

// A pack's content address. It names the bytes; the set's own name is set_digest's.
inline DeltaId pack_id(ByteView pack) { return DeltaId::of_claims(pack); }

}  // namespace rhizome
