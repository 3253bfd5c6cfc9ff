// The store's values: records, statements, positions. Decoders check every length: a damaged store
// gives kCorrupt, never a wrong value. Private to host/journal. Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "journal/journal.hpp"

namespace rhizome::values {

// A label whose origin is the index of a node in this store.
struct LabelRef {
  std::uint32_t node = 0;
  std::uint64_t epoch = 0;
  std::uint64_t n = 0;  // 0: no label
  bool operator==(const LabelRef&) const = default;
};

struct RecordValue {
  std::uint8_t signature_state = 0;
  std::uint64_t received_ms = 0;
  std::uint32_t source = 0;     // a node's index; 0: the local door
  std::uint8_t confidence = 0;  // that the source expressed
  LabelRef label;
  std::uint32_t check = 0;  // of the claims: check_of(id)
  ByteView signature;       // 64 bytes or empty
  ByteView claims;
};
// A record is a header, then the signature and the claims as they are. The header alone depends on
// where the record comes to stand, so that the rest is laid out before that is known.
inline constexpr std::size_t kMaxRecordHeader = 32;
std::size_t encode_record_header(const RecordValue& value, char* out);  // returns its size
void encode_record(const RecordValue& value, std::string& out);         // replaces `out`
Status decode_record(ByteView bytes, RecordValue& value);               // borrows from `bytes`
// The four bytes of an id that its record repeats, so that damage shows whatever the store checks.
std::uint32_t check_of(ByteView id34);

// The ids of a statement as runs of seqs, holes apart: consecutive imports cost a few bytes in all.
struct Run {
  Seq first = 0;  // 0: a run of holes
  std::uint64_t count = 0;
};
struct StatementValue {
  std::uint64_t from = 0;
  Hash256 previous_head{}, head{};
  Signature signature{};
  std::vector<Run> runs;
};
void add_to_runs(Seq seq_or_hole, std::vector<Run>& runs);
std::string encode_statement(const StatementValue& value);
Status decode_statement(ByteView bytes, StatementValue& value);

std::string encode_position(const OriginPosition& position);
Status decode_position(ByteView bytes, OriginPosition& position);  // last, head, flags

std::string encode_hole(const Hole& hole);
Status decode_hole(ByteView bytes, Hole& hole);  // id, reason

}  // namespace rhizome::values
