// Encoding and decoding of the store's values.
#include "journal/values.hpp"

#include "journal/keys.hpp"

namespace rhizome::values {

namespace {

constexpr std::uint8_t kRecordFormat = 1;
constexpr std::uint8_t kRecordWithConfidence = 2;  // the same, and what its source expressed

using keys::append_number;

void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads in order; the first shortage sticks.
class Cursor {
 public:
  explicit Cursor(ByteView bytes) : rest_(bytes) {}
  bool ok() const { return ok_; }
  bool empty() const { return rest_.empty(); }
  ByteView take(std::size_t size) {
    if (rest_.size() < size) ok_ = false;
    if (!ok_) return {};
    const ByteView taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  ByteView rest() { return take(rest_.size()); }
  std::uint64_t number(int bytes) {
    const ByteView taken = take(static_cast<std::size_t>(bytes));
    return ok_ ? keys::read_number(taken, 0, bytes) : 0;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = number(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  template <typename T>
  void fixed(T& value) {
    const ByteView taken = take(value.size());
    if (ok_) std::memcpy(value.data(), taken.data(), value.size());
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

Status damaged(const char* what) {
  return {Code::kCorrupt, std::string("store: a damaged ") + what + " value"};
}

}  // namespace

std::size_t encode_record_header(const RecordValue& value, char* out) {
  char* at = out;
  const auto varint = [&](std::uint64_t number) {
    for (; number >= 0x80; number >>= 7) *at++ = static_cast<char>(number | 0x80);
    *at++ = static_cast<char>(number);
  };
  const auto number = [&](std::uint64_t n, int size) {
    keys::write_number(n, size, at);
    at += size;
  };
  const std::uint8_t format = value.confidence == 0 ? kRecordFormat : kRecordWithConfidence;
  *at++ =
      static_cast<char>(format << 4 | (value.signature.empty() ? 0 : 8) | value.signature_state);
  number(value.received_ms, 6);
  number(value.check, 4);
  varint(value.source);
  if (value.confidence != 0) number(value.confidence, 1);
  varint(value.label.n);
  if (value.label.n != 0) {
    varint(value.label.node);
    number(value.label.epoch, 4);
  }
  return static_cast<std::size_t>(at - out);
}

void encode_record(const RecordValue& value, std::string& out) {
  char header[kMaxRecordHeader];
  out.assign(header, encode_record_header(value, header));
  out.append(value.signature).append(value.claims);
}

Status decode_record(ByteView bytes, RecordValue& value) {
  Cursor cursor(bytes);
  const auto first = static_cast<std::uint8_t>(cursor.number(1));
  value.signature_state = first & 7;
  const int format = first >> 4;
  const bool known = (format == kRecordFormat || format == kRecordWithConfidence) &&
                     value.signature_state <= RZ_SIGNATURE_INVALID;
  value.received_ms = cursor.number(6);
  value.check = static_cast<std::uint32_t>(cursor.number(4));
  value.source = static_cast<std::uint32_t>(cursor.varint());
  value.confidence =
      static_cast<std::uint8_t>(format == kRecordWithConfidence ? cursor.number(1) : 0);
  value.label = {};
  value.label.n = cursor.varint();
  if (value.label.n != 0) {
    value.label.node = static_cast<std::uint32_t>(cursor.varint());
    value.label.epoch = cursor.number(4);
  }
  value.signature = (first & 8) != 0 ? cursor.take(RZ_DELTA_SIGNATURE_SIZE) : ByteView();
  value.claims = cursor.rest();
  return known && cursor.ok() ? Status() : damaged("record");
}

std::uint32_t check_of(ByteView id34) {
  return static_cast<std::uint32_t>(keys::read_number(id34, 30, 4));
}

void add_to_runs(Seq seq_or_hole, std::vector<Run>& runs) {
  if (!runs.empty()) {
    Run& last = runs.back();
    const bool goes_on = seq_or_hole == 0
                             ? last.first == 0
                             : last.first != 0 && last.first + last.count == seq_or_hole;
    if (goes_on) {
      ++last.count;
      return;
    }
  }
  runs.push_back({seq_or_hole, 1});
}

std::string encode_statement(const StatementValue& value) {
  std::string out;
  append_number(value.from, 6, out);
  out.append(view(value.previous_head.data(), value.previous_head.size()));
  out.append(view(value.head.data(), value.head.size()));
  out.append(view(value.signature.data(), value.signature.size()));
  Seq expected = 0;
  for (const Run& run : value.runs) {
    put_varint(run.count << 1 | (run.first == 0 ? 1 : 0), out);
    if (run.first == 0) continue;
    const auto step = static_cast<std::int64_t>(run.first - expected);
    put_varint(static_cast<std::uint64_t>(step) << 1 ^ static_cast<std::uint64_t>(step >> 63), out);
    expected = run.first + run.count;
  }
  return out;
}

Status decode_statement(ByteView bytes, StatementValue& value) {
  Cursor cursor(bytes);
  value.from = cursor.number(6);
  cursor.fixed(value.previous_head);
  cursor.fixed(value.head);
  cursor.fixed(value.signature);
  value.runs.clear();
  Seq expected = 0;
  std::uint64_t total = 0;
  while (cursor.ok() && !cursor.empty()) {
    const std::uint64_t head = cursor.varint();
    Run run;
    run.count = head >> 1;
    total += run.count;
    if (run.count == 0 || run.count > kStatementMaxIds || total > kStatementMaxIds)
      return damaged("statement");
    if ((head & 1) == 0) {
      const std::uint64_t step = cursor.varint();
      run.first = expected + ((step >> 1) ^ (~(step & 1) + 1));
      if (run.first == 0 || run.first > keys::kMaxSeq) return damaged("statement");
      expected = run.first + run.count;
    }
    value.runs.push_back(run);
  }
  return cursor.ok() && total != 0 ? Status() : damaged("statement");
}

std::string encode_position(const OriginPosition& position) {
  std::string out;
  append_number(position.last, 6, out);
  out.append(view(position.head.data(), position.head.size()));
  out.push_back(static_cast<char>(position.forked ? 2 : 0));
  put_varint(position.holes, out);
  return out;
}

Status decode_position(ByteView bytes, OriginPosition& position) {
  Cursor cursor(bytes);
  position.last = cursor.number(6);
  cursor.fixed(position.head);
  const std::uint64_t flags = cursor.number(1);
  position.forked = (flags & 2) != 0;
  position.holes = cursor.varint();
  return cursor.ok() && cursor.empty() ? Status() : damaged("position");
}

std::string encode_hole(const Hole& hole) {
  std::string out(hole.id.raw());
  return out.append(hole.reason.substr(0, 256));
}

Status decode_hole(ByteView bytes, Hole& hole) {
  if (bytes.size() < RZ_DELTA_ID_SIZE) return damaged("hole");
  hole.id = DeltaId::from_raw(bytes.substr(0, RZ_DELTA_ID_SIZE));
  hole.reason = bytes.substr(RZ_DELTA_ID_SIZE);
  return {};
}

}  // namespace rhizome::values
