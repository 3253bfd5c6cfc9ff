// Encoding and decoding of what subscribers and publishers say.
#include "feeds/messages.hpp"

#include "wire/cbor.hpp"

namespace rhizome::feeds {

using wire::malformed;
using wire::put_array;
using wire::put_fixed;
using wire::put_uint;
using wire::Reader;

namespace {

constexpr std::uint64_t kMostSeq = std::uint64_t{1} << 48;

void put_place(const Place& place, std::string& out) {
  put_uint(place.seq, out);
  put_uint(place.index, out);
}

Place read_place(Reader& reader) {
  Place place;
  place.seq = reader.uint();
  place.index = reader.uint();
  if (place.seq == 0 || place.seq >= kMostSeq) reader.fail();
  return place;
}

bool read_flag(Reader& reader) {
  const std::uint64_t value = reader.uint();
  if (value > 1) reader.fail();
  return value == 1;
}

void put_covered(const std::vector<Covered>& covered, std::string& out) {
  put_array(covered.size(), out);
  for (const Covered& entry : covered) {
    put_array(3, out);
    put_fixed(entry.origin, out);
    put_uint(entry.epoch, out);
    put_uint(entry.last, out);
  }
}

std::vector<Covered> read_covered(Reader& reader) {
  std::vector<Covered> covered;
  const std::uint64_t count = reader.array(kMaxCovered);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(3);
    Covered& entry = covered.emplace_back();
    entry.origin = reader.fixed<NodeKey>();
    entry.epoch = reader.uint();
    entry.last = reader.uint();
  }
  return covered;
}

void put_cursor(const Cursor& cursor, std::string& out) {
  put_array(6, out);
  put_fixed(cursor.publisher, out);
  put_fixed(cursor.incarnation, out);
  put_place(cursor.next, out);
  put_fixed(cursor.mark, out);
  put_covered(cursor.covered, out);
}

Cursor read_cursor(Reader& reader) {
  reader.array_of(6);
  Cursor cursor;
  cursor.publisher = reader.fixed<NodeKey>();
  cursor.incarnation = reader.fixed<Incarnation>();
  cursor.next = read_place(reader);
  cursor.mark = reader.fixed<Mark>();
  cursor.covered = read_covered(reader);
  return cursor;
}

// None or one.
void put_cursors(const std::optional<Cursor>& cursor, std::string& out) {
  put_array(cursor ? 1 : 0, out);
  if (cursor) put_cursor(*cursor, out);
}

std::optional<Cursor> read_cursors(Reader& reader) {
  if (reader.array(1) == 0) return std::nullopt;
  return read_cursor(reader);
}

std::string read_text(Reader& reader, std::size_t most) {
  const ByteView text = reader.text();
  if (text.size() > most) reader.fail();
  return std::string(reader.ok() ? text : ByteView());
}

void put_numbers(const std::vector<std::uint64_t>& numbers, std::string& out) {
  put_array(numbers.size(), out);
  for (const std::uint64_t number : numbers) put_uint(number, out);
}

std::vector<std::uint64_t> read_numbers(Reader& reader, std::size_t most) {
  std::vector<std::uint64_t> numbers;
  const std::uint64_t count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) numbers.push_back(reader.uint());
  return numbers;
}

void put_item(const Batch::Item& item, std::string& out) {
  put_array(4, out);
  put_numbers(item.numbers, out);
  put_uint(item.seq, out);
  cbor_append_bytes(item.claims, out);
  cbor_append_bytes(item.signature, out);
}

Batch::Item read_item(Reader& reader, std::size_t most) {
  reader.array_of(4);
  Batch::Item item;
  item.numbers = read_numbers(reader, most);
  item.seq = reader.uint();
  item.claims = reader.bytes();
  item.signature = reader.bytes();
  if (!item.signature.empty() && item.signature.size() != sizeof(Signature)) reader.fail();
  return item;
}

void read_moved(Reader& reader, std::size_t most, Batch& batch) {
  const std::uint64_t count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(7);
    Batch::Moved& moved = batch.moved.emplace_back();
    moved.number = reader.uint();
    moved.from = read_place(reader);
    moved.next = read_place(reader);
    moved.mark = reader.fixed<Mark>();
    moved.live = read_flag(reader);
  }
}

void read_notices(Reader& reader, std::size_t most, Batch& batch) {
  std::uint64_t count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(6);
    Batch::Dropped& dropped = batch.dropped.emplace_back();
    dropped.number = reader.uint();
    dropped.from = read_place(reader);
    dropped.to = read_place(reader);
    dropped.count = reader.uint();
  }
  count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(3);
    Batch::Ended& ended = batch.ended.emplace_back();
    ended.number = reader.uint();
    ended.code = wire::code_of(reader.uint());
    ended.reason = read_text(reader, kMaxReason);
  }
}

}  // namespace

std::string encode(const Subscribe& subscribe) {
  std::string out;
  put_array(5, out);
  cbor_append_text(subscribe.rule, out);
  put_uint(static_cast<std::uint64_t>(subscribe.start), out);
  put_cursors(subscribe.cursor, out);
  put_uint(static_cast<std::uint64_t>(subscribe.policy), out);
  put_uint(subscribe.room, out);
  return out;
}

Result<Subscribe> decode_subscribe(ByteView body) {
  Reader reader(body);
  reader.array_of(5);
  Subscribe subscribe;
  subscribe.rule = read_text(reader, kMaxRule);
  const std::uint64_t start = reader.uint();
  subscribe.cursor = read_cursors(reader);
  const std::uint64_t policy = reader.uint();
  subscribe.room = reader.uint();
  if (!reader.done() || start > 2 || policy > 3) return malformed("subscribe");
  subscribe.start = static_cast<Start>(start);
  subscribe.policy = static_cast<Policy>(policy);
  if ((subscribe.start == Start::kCursor) != subscribe.cursor.has_value())
    return malformed("subscribe");
  return subscribe;
}

std::string encode(const Subscribed& subscribed) {
  std::string out;
  put_array(6, out);
  put_uint(subscribed.number, out);
  put_fixed(subscribed.incarnation, out);
  put_place(subscribed.next, out);
  put_fixed(subscribed.mark, out);
  put_uint(subscribed.by_labels ? 1 : 0, out);
  return out;
}

Result<Subscribed> decode_subscribed(ByteView body) {
  Reader reader(body);
  reader.array_of(6);
  Subscribed subscribed;
  subscribed.number = reader.uint();
  subscribed.incarnation = reader.fixed<Incarnation>();
  subscribed.next = read_place(reader);
  subscribed.mark = reader.fixed<Mark>();
  subscribed.by_labels = read_flag(reader);
  if (!reader.done()) return malformed("subscribed");
  return subscribed;
}

std::string encode(const Tail& tail) {
  std::string out;
  put_array(4, out);
  put_uint(tail.credit, out);
  put_uint(tail.rewind ? 1 : 0, out);
  put_array(tail.entries.size(), out);
  for (const Tail::Entry& entry : tail.entries) {
    put_array(3, out);
    put_uint(entry.number, out);
    put_place(entry.next, out);
  }
  put_numbers(tail.ended, out);
  return out;
}

Result<Tail> decode_tail(ByteView body) {
  Reader reader(body);
  reader.array_of(4);
  Tail tail;
  tail.credit = reader.uint();
  tail.rewind = read_flag(reader);
  const std::uint64_t count = reader.array(kMaxSubscriptions);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    reader.array_of(3);
    Tail::Entry& entry = tail.entries.emplace_back();
    entry.number = reader.uint();
    entry.next = read_place(reader);
  }
  tail.ended = read_numbers(reader, kMaxSubscriptions);
  if (!reader.done()) return malformed("tail");
  return tail;
}

std::string encode(const Query& query) {
  std::string out;
  put_array(4, out);
  cbor_append_text(query.rule, out);
  put_cursors(query.cursor, out);
  put_uint(query.credit, out);
  put_uint(query.limit, out);
  return out;
}

Result<Query> decode_query(ByteView body) {
  Reader reader(body);
  reader.array_of(4);
  Query query;
  query.rule = read_text(reader, kMaxRule);
  query.cursor = read_cursors(reader);
  query.credit = reader.uint();
  query.limit = reader.uint();
  if (!reader.done()) return malformed("query");
  return query;
}

std::string encode(const Batch& batch) {
  std::size_t size = 256;
  for (const Batch::Item& item : batch.items)
    size += item.claims.size() + item.signature.size() + 32;
  std::string out;
  out.reserve(size);
  put_array(5, out);
  put_array(batch.moved.size(), out);
  for (const Batch::Moved& moved : batch.moved) {
    put_array(7, out);
    put_uint(moved.number, out);
    put_place(moved.from, out);
    put_place(moved.next, out);
    put_fixed(moved.mark, out);
    put_uint(moved.live ? 1 : 0, out);
  }
  put_array(batch.items.size(), out);
  for (const Batch::Item& item : batch.items) put_item(item, out);
  put_array(batch.dropped.size(), out);
  for (const Batch::Dropped& dropped : batch.dropped) {
    put_array(6, out);
    put_uint(dropped.number, out);
    put_place(dropped.from, out);
    put_place(dropped.to, out);
    put_uint(dropped.count, out);
  }
  put_array(batch.ended.size(), out);
  for (const Batch::Ended& ended : batch.ended) {
    put_array(3, out);
    put_uint(ended.number, out);
    put_uint(static_cast<std::uint64_t>(ended.code), out);
    cbor_append_text(ByteView(ended.reason).substr(0, kMaxReason), out);
  }
  put_covered(batch.covered, out);
  return out;
}

namespace {

Result<Batch> decode_batch_of(ByteView body, std::size_t most) {
  Reader reader(body);
  reader.array_of(5);
  Batch batch;
  read_moved(reader, most, batch);
  const std::uint64_t count = reader.array(kMaxItems);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i)
    batch.items.push_back(read_item(reader, most));
  read_notices(reader, most, batch);
  batch.covered = read_covered(reader);
  if (!reader.done()) return malformed("batch");
  return batch;
}

}  // namespace

Result<Batch> decode_batch(ByteView body) { return decode_batch_of(body, kMaxSubscriptions); }

Result<Batch> decode_own_batch(ByteView body) {
  return decode_batch_of(body, kMaxOwnSubscriptions);
}

}  // namespace rhizome::feeds
