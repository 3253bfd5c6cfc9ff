// Encoding and decoding of frame bodies.
#include "wire/messages.hpp"

#include "wire/body.hpp"

namespace rhizome::wire {

namespace {

void put_positions(const std::vector<Position>& positions, std::string& out) {
  put_array(positions.size(), out);
  for (const Position& position : positions) {
    put_array(4, out);
    put_fixed(position.origin, out);
    put_uint(position.epoch, out);
    put_uint(position.last, out);
    put_fixed(position.head, out);
  }
}

std::vector<Position> read_positions(Reader& reader) {
  std::vector<Position> positions;
  const std::uint64_t count = reader.array(kMaxPositions);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(4);
    Position& position = positions.emplace_back();
    position.origin = reader.fixed<NodeKey>();
    position.epoch = reader.uint();
    position.last = reader.uint();
    position.head = reader.fixed<Hash256>();
  }
  return positions;
}

void put_texts(const std::vector<std::string>& texts, std::string& out) {
  put_array(texts.size(), out);
  for (const std::string& text : texts) cbor_append_text(text, out);
}

std::vector<std::string> read_texts(Reader& reader, std::size_t most, std::size_t longest) {
  std::vector<std::string> texts;
  const std::uint64_t count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const ByteView text = reader.text();
    if (text.size() > longest) reader.fail();
    texts.emplace_back(text);
  }
  return texts;
}

constexpr std::size_t kMaxAddress = 256;
constexpr std::size_t kMaxErrorText = 1024;
// An id on the wire is the 32 bytes behind its multihash prefix.
constexpr std::size_t kIdSize = 32;

std::string join_ids(const std::vector<DeltaId>& ids) {
  std::string joined;
  joined.reserve(ids.size() * kIdSize);
  for (const DeltaId& id : ids) joined.append(id.raw().substr(2));
  return joined;
}

bool split_ids(ByteView joined, std::vector<DeltaId>& ids) {
  if (joined.empty() || joined.size() % kIdSize != 0 || joined.size() / kIdSize > kStatementMaxIds)
    return false;
  ids.resize(joined.size() / kIdSize);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i].bytes[0] = 0x1e;
    ids[i].bytes[1] = 0x20;
    std::memcpy(ids[i].bytes.data() + 2, joined.data() + i * kIdSize, kIdSize);
  }
  return true;
}

}  // namespace

std::string encode(const Introduction& introduction) {
  std::string out;
  put_array(5, out);
  cbor_append_text(introduction.name, out);
  put_texts(introduction.addresses, out);
  put_texts(introduction.provides, out);
  put_positions(introduction.positions, out);
  put_array(2 * introduction.settings.size(), out);
  for (const auto& [name, value] : introduction.settings) {
    cbor_append_text(name, out);
    cbor_append_text(value, out);
  }
  return out;
}

Result<Introduction> decode_introduction(ByteView body) {
  Reader reader(body);
  reader.array_of(5);
  Introduction introduction;
  introduction.name = reader.text();
  if (introduction.name.size() > kMaxName) reader.fail();
  introduction.addresses = read_texts(reader, kMaxAddresses, kMaxAddress);
  introduction.provides = read_texts(reader, kMaxProvides, kMaxName);
  introduction.positions = read_positions(reader);
  const std::vector<std::string> settings = read_texts(reader, 2 * kMaxSettings, kMaxName);
  if (settings.size() % 2 != 0) reader.fail();
  if (!reader.done()) return malformed("introduce");
  for (std::size_t i = 0; i < settings.size(); i += 2)
    introduction.settings.emplace_back(settings[i], settings[i + 1]);
  return introduction;
}

std::string encode(const Join& join) {
  std::string out;
  put_array(2, out);
  put_fixed(join.ticket, out);
  cbor_append_text(join.name, out);
  return out;
}

Result<Join> decode_join(ByteView body) {
  Reader reader(body);
  reader.array_of(2);
  Join join;
  join.ticket = reader.fixed<std::array<std::uint8_t, 16>>();
  join.name = reader.text();
  if (!reader.done() || join.name.size() > kMaxName) return malformed("join");
  return join;
}

std::string encode_announce(const std::vector<Position>& positions) {
  std::string out;
  put_positions(positions, out);
  return out;
}

Result<std::vector<Position>> decode_announce(ByteView body) {
  Reader reader(body);
  std::vector<Position> positions = read_positions(reader);
  if (!reader.done()) return malformed("announce");
  return positions;
}

std::string encode_heads(const std::vector<SignedHead>& heads) {
  std::string out;
  put_array(heads.size(), out);
  for (const SignedHead& head : heads) {
    put_array(7, out);
    put_fixed(head.origin, out);
    put_uint(head.epoch, out);
    put_uint(head.from, out);
    put_uint(head.count, out);
    put_fixed(head.previous_head, out);
    put_fixed(head.head, out);
    put_fixed(head.signature, out);
  }
  return out;
}

Result<std::vector<SignedHead>> decode_heads(ByteView body) {
  Reader reader(body);
  std::vector<SignedHead> heads;
  const std::uint64_t count = reader.array(kMaxHeads);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(7);
    SignedHead& head = heads.emplace_back();
    head.origin = reader.fixed<NodeKey>();
    head.epoch = reader.uint();
    head.from = reader.uint();
    head.count = reader.uint();
    head.previous_head = reader.fixed<Hash256>();
    head.head = reader.fixed<Hash256>();
    head.signature = reader.fixed<Signature>();
  }
  if (!reader.done() || heads.empty()) return malformed("fork");
  return heads;
}

std::string encode(const Fetch& fetch) {
  std::string out;
  put_array(5, out);
  put_fixed(fetch.origin, out);
  put_uint(fetch.epoch, out);
  put_uint(fetch.from, out);
  put_uint(fetch.to, out);
  put_uint(fetch.max_bytes, out);
  return out;
}

Result<Fetch> decode_fetch(ByteView body) {
  Reader reader(body);
  reader.array_of(5);
  Fetch fetch;
  fetch.origin = reader.fixed<NodeKey>();
  fetch.epoch = reader.uint();
  fetch.from = reader.uint();
  fetch.to = reader.uint();
  fetch.max_bytes = reader.uint();
  if (!reader.done() || fetch.from == 0 || fetch.to < fetch.from) return malformed("fetch");
  return fetch;
}

std::size_t delivery_overhead(const Statement& statement) {
  return 256 + statement.ids.size() * kIdSize;
}

std::string encode(const Delivery& delivery) {
  std::size_t size = delivery_overhead(delivery.statement);
  for (const Body& body : delivery.bodies) size += body.claims.size() + body.signature.size() + 8;
  std::string out;
  out.reserve(size);
  const Statement& statement = delivery.statement;
  put_array(9, out);
  put_fixed(statement.origin, out);
  put_uint(statement.epoch, out);
  put_uint(statement.from, out);
  cbor_append_bytes(join_ids(statement.ids), out);
  put_fixed(statement.previous_head, out);
  put_fixed(statement.head, out);
  put_fixed(statement.signature, out);
  put_uint(delivery.first, out);
  put_array(kBodyItems * delivery.bodies.size(), out);
  for (const Body& body : delivery.bodies) put_body(body, out);
  return out;
}

Result<Delivery> decode_delivery(ByteView body) {
  Reader reader(body);
  reader.array_of(9);
  Delivery delivery;
  Statement& statement = delivery.statement;
  statement.origin = reader.fixed<NodeKey>();
  statement.epoch = reader.uint();
  statement.from = reader.uint();
  if (!split_ids(reader.bytes(), statement.ids)) reader.fail();
  statement.previous_head = reader.fixed<Hash256>();
  statement.head = reader.fixed<Hash256>();
  statement.signature = reader.fixed<Signature>();
  delivery.first = reader.uint();
  const std::uint64_t items = reader.array(kBodyItems * kStatementMaxIds);
  if (items % kBodyItems != 0) reader.fail();
  for (std::uint64_t i = 0; i < items / kBodyItems && reader.ok(); ++i) {
    const Body& entry = delivery.bodies.emplace_back(read_body(reader));
    if (!entry.signature.empty() && entry.signature.size() != sizeof(Signature)) reader.fail();
  }
  // A number past 2^48 does not fit the journal's keys, and no honest node comes near.
  constexpr std::uint64_t kMostNumbers = std::uint64_t{1} << 48;
  if (!reader.done() || statement.from == 0 || statement.last() >= kMostNumbers ||
      statement.epoch >= std::uint64_t{1} << 32 || delivery.first > statement.ids.size() ||
      delivery.bodies.size() > statement.ids.size() - delivery.first)
    return malformed("delivery");
  return delivery;
}

std::string encode(const Error& error) {
  std::string out;
  put_array(3, out);
  put_uint(static_cast<std::uint64_t>(error.code), out);
  cbor_append_text(ByteView(error.message).substr(0, kMaxErrorText), out);
  put_uint(error.retry_after_ms, out);
  return out;
}

Result<Error> decode_error(ByteView body) {
  Reader reader(body);
  reader.array_of(3);
  Error error;
  error.code = code_of(reader.uint());
  error.message = reader.text();
  const std::uint64_t retry_after_ms = reader.uint();
  if (!reader.done() || error.code == Code::kOk || error.message.size() > kMaxErrorText ||
      retry_after_ms > UINT32_MAX)
    return malformed("error");
  error.retry_after_ms = static_cast<std::uint32_t>(retry_after_ms);
  return error;
}

}  // namespace rhizome::wire
