// Chaining, signing and checking statements of labels.
#include "journal/label.hpp"

#include "rhizome/delta/codec.hpp"

namespace rhizome {

namespace {

std::string signed_bytes(const Statement& s) {
  std::string out(kStatementDomain);
  cbor_append_head(4, 6, out);
  cbor_append_bytes(view(s.origin.data(), s.origin.size()), out);
  cbor_append_head(0, s.epoch, out);
  cbor_append_head(0, s.from, out);
  cbor_append_head(0, s.ids.size(), out);
  cbor_append_bytes(view(s.previous_head.data(), s.previous_head.size()), out);
  cbor_append_bytes(view(s.head.data(), s.head.size()), out);
  return out;
}

Hash256 chained(const Statement& s) {
  Hash256 head = s.previous_head;
  std::uint64_t n = s.from;
  for (const DeltaId& id : s.ids) head = next_head(head, n++, id);
  return head;
}

}  // namespace

Hash256 next_head(const Hash256& previous, std::uint64_t n, const DeltaId& id) {
  char link[32 + 8 + RZ_DELTA_ID_SIZE];
  std::memcpy(link, previous.data(), 32);
  for (int i = 0; i < 8; ++i) link[32 + i] = static_cast<char>(n >> (8 * (7 - i)));
  std::memcpy(link + 40, id.bytes.data(), id.bytes.size());
  return blake3(ByteView(link, sizeof link));
}

Statement make_statement(const SigningKey& origin, std::uint64_t epoch, std::uint64_t from,
                         const Hash256& previous_head, std::vector<DeltaId> ids) {
  Statement statement;
  statement.origin = origin.public_key();
  statement.epoch = epoch;
  statement.from = from;
  statement.ids = std::move(ids);
  statement.previous_head = previous_head;
  statement.head = chained(statement);
  statement.signature = origin.sign(signed_bytes(statement));
  return statement;
}

Status check_statement(const Statement& statement) {
  const auto where = [&] {
    return "statement of " + to_hex(view(statement.origin.data(), 8)) + " epoch " +
           std::to_string(statement.epoch) + " from " + std::to_string(statement.from);
  };
  if (statement.from == 0 || statement.ids.empty() || statement.ids.size() > kStatementMaxIds)
    return {Code::kCorrupt, where() + ": " + std::to_string(statement.ids.size()) +
                                " ids; expected 1 to 4096, numbered from 1"};
  if (statement.epoch > kMaxEpoch || statement.from > kMaxNumber - kStatementMaxIds)
    return {Code::kCorrupt, where() + ": expected an epoch below 2^32 and numbers below 2^48"};
  if (chained(statement) != statement.head)
    return {Code::kCorrupt, where() + ": its ids do not chain to its head"};
  if (!verify_strict(statement.origin, signed_bytes(statement),
                     view(statement.signature.data(), statement.signature.size())))
    return {Code::kCorrupt, where() + ": not signed by its origin"};
  return {};
}

}  // namespace rhizome
