// Chaining, signing and checking statements of labels.
#include "journal/label.hpp"

#include "rhizome/delta/codec.hpp"

namespace rhizome {

namespace {

std::string signed_bytes(const SignedHead& s) {
  std::string out(kStatementDomain);
  cbor_append_head(4, 6, out);
  cbor_append_bytes(view(s.origin.data(), s.origin.size()), out);
  cbor_append_head(0, s.epoch, out);
  cbor_append_head(0, s.from, out);
  cbor_append_head(0, s.count, out);
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
  statement.signature = origin.sign(signed_bytes(signed_head(statement)));
  return statement;
}

SignedHead signed_head(const Statement& statement) {
  return {statement.origin,        statement.epoch, statement.from,     statement.ids.size(),
          statement.previous_head, statement.head,  statement.signature};
}

Status check_signed_head(const SignedHead& head) {
  const auto where = [&] {
    return "statement of " + to_hex(view(head.origin.data(), 8)) + " epoch " +
           std::to_string(head.epoch) + " from " + std::to_string(head.from);
  };
  if (head.from == 0 || head.count == 0 || head.count > kStatementMaxIds)
    return {Code::kCorrupt, where() + ": " + std::to_string(head.count) +
                                " ids; expected 1 to 4096, numbered from 1"};
  if (head.epoch > kMaxEpoch || head.from > kMaxNumber - kStatementMaxIds)
    return {Code::kCorrupt, where() + ": expected an epoch below 2^32 and numbers below 2^48"};
  if (!verify_strict(head.origin, signed_bytes(head),
                     view(head.signature.data(), head.signature.size())))
    return {Code::kCorrupt, where() + ": not signed by its origin"};
  return {};
}

Status check_statement(const Statement& statement) {
  if (statement.ids.size() <= kStatementMaxIds && chained(statement) != statement.head)
    return {Code::kCorrupt, "statement of " + to_hex(view(statement.origin.data(), 8)) + " epoch " +
                                std::to_string(statement.epoch) + " from " +
                                std::to_string(statement.from) +
                                ": its ids do not chain to its head"};
  return check_signed_head(signed_head(statement));
}

}  // namespace rhizome
