// Bodies of reconcile frames as canonical CBOR: an array that begins with its step's number.
#include "sync/messages.hpp"

#include "wire/cbor.hpp"

namespace rhizome::sync {

namespace {

using wire::put_array;
using wire::put_fixed;
using wire::put_uint;
using wire::Reader;

enum Step : std::uint64_t {
  kCompare = 1,
  kCells = 2,
  kKeyed = 3,
  kRanges = 4,
  kBodies = 5,
  kOffer
};

void put_ids(const std::vector<ShortId>& ids, std::string& out) {
  static_assert(sizeof(ShortId) == 16);
  cbor_append_bytes({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ShortId)}, out);
}

std::vector<ShortId> read_ids(Reader& reader) {
  const ByteView bytes = reader.bytes();
  if (bytes.size() % sizeof(ShortId) != 0 || bytes.size() / sizeof(ShortId) > kMaxWanted) {
    reader.fail();
    return {};
  }
  std::vector<ShortId> ids(bytes.size() / sizeof(ShortId));
  if (!ids.empty()) std::memcpy(ids.data(), bytes.data(), bytes.size());
  return ids;
}

struct Writer {
  std::string& out;
  void head(std::size_t items, Step step) {
    put_array(items, out);
    put_uint(step, out);
  }
  void operator()(const Compare& compare) {
    head(4, kCompare);
    put_fixed(compare.digest, out);
    put_uint(compare.count, out);
    put_fixed(compare.counts, out);
  }
  void operator()(const More& more) {
    head(3, kCells);
    put_uint(more.from, out);
    put_uint(more.cells, out);
  }
  void operator()(const Keyed& keyed) {
    head(3, kKeyed);
    put_fixed(keyed.key, out);
    put_uint(keyed.cells, out);
  }
  void operator()(const Ranges& ranges) {
    head(3, kRanges);
    put_fixed(ranges.salt, out);
    cbor_append_bytes(ranges.message, out);
  }
  void operator()(const Want& want) {
    head(2, kBodies);
    put_ids(want.ids, out);
  }
  void operator()(const Offer& offer) {
    head(2, kOffer);
    put_ids(offer.ids, out);
  }
  void operator()(const Same&) { head(1, kCompare); }
  void operator()(const Differs& differs) {
    head(3, kCells);
    put_uint(differs.count, out);
    cbor_append_bytes(differs.cells, out);
  }
  void operator()(const Cells& cells) {
    head(2, kKeyed);
    cbor_append_bytes(cells.cells, out);
  }
  void operator()(const RangesReply& ranges) {
    head(2, kRanges);
    cbor_append_bytes(ranges.message, out);
  }
  void operator()(const Bodies& bodies) {
    head(2, kBodies);
    put_array(bodies.bodies.size() * 2, out);
    for (const wire::Body& body : bodies.bodies) {
      cbor_append_bytes(body.claims, out);
      cbor_append_bytes(body.signature, out);
    }
  }
};

ByteView read_cells(Reader& reader) {
  const ByteView cells = reader.bytes();
  if (cells.size() % kSketchCellSize != 0) reader.fail();
  return cells;
}

Bodies read_bodies(Reader& reader) {
  Bodies bodies;
  const std::uint64_t items = reader.array(2 * kMaxBodies);
  if (items % 2 != 0) reader.fail();
  for (std::uint64_t i = 0; reader.ok() && i < items; i += 2) {
    wire::Body body;
    body.claims = reader.bytes();
    body.signature = reader.bytes();
    if (body.claims.empty() || (!body.signature.empty() && body.signature.size() != 64))
      reader.fail();
    bodies.bodies.push_back(body);
  }
  return bodies;
}

template <typename Message>
Result<Message> finished(const Reader& reader, std::uint64_t items, std::uint64_t needed,
                         Message message) {
  if (!reader.done() || items != needed)
    return Status(Code::kInvalid, "reconcile: a malformed body");
  return message;
}

}  // namespace

std::string encode(const Request& request) {
  std::string out;
  std::visit(Writer{out}, request);
  return out;
}

std::string encode(const Reply& reply) {
  std::string out;
  std::visit(Writer{out}, reply);
  return out;
}

Result<Request> decode_request(ByteView body) {
  Reader reader(body);
  const std::uint64_t items = reader.array(4);
  switch (reader.uint()) {
    case kCompare: {
      Compare compare;
      compare.digest = reader.fixed<Hash256>();
      compare.count = reader.uint();
      compare.counts = reader.fixed<std::array<std::uint8_t, kFirstCounts>>();
      return finished<Request>(reader, items, 4, compare);
    }
    case kCells: {
      More more;
      more.from = reader.uint();
      more.cells = reader.uint();
      return finished<Request>(reader, items, 3, more);
    }
    case kKeyed: {
      Keyed keyed;
      keyed.key = reader.fixed<SketchKey>();
      keyed.cells = reader.uint();
      if (keyed.cells == 0 || keyed.cells > kMaxKeyedCells) reader.fail();
      return finished<Request>(reader, items, 3, keyed);
    }
    case kRanges: {
      Ranges ranges;
      ranges.salt = reader.fixed<Salt>();
      ranges.message = reader.bytes();
      return finished<Request>(reader, items, 3, ranges);
    }
    case kBodies: {
      Want want{read_ids(reader)};
      return finished<Request>(reader, items, 2, std::move(want));
    }
    case kOffer: {
      Offer offer{read_ids(reader)};
      return finished<Request>(reader, items, 2, std::move(offer));
    }
    default:
      return Status(Code::kInvalid, "reconcile: an unknown step");
  }
}

Result<Reply> decode_reply(ByteView body) {
  Reader reader(body);
  const std::uint64_t items = reader.array(4);
  switch (reader.uint()) {
    case kCompare:
      return finished<Reply>(reader, items, 1, Same{});
    case kCells: {
      Differs differs;
      differs.count = reader.uint();
      differs.cells = read_cells(reader);
      return finished<Reply>(reader, items, 3, differs);
    }
    case kKeyed: {
      const Cells cells{read_cells(reader)};
      return finished<Reply>(reader, items, 2, Cells(cells));
    }
    case kRanges: {
      RangesReply ranges{reader.bytes()};
      return finished<Reply>(reader, items, 2, ranges);
    }
    case kBodies: {
      Bodies bodies = read_bodies(reader);
      return finished<Reply>(reader, items, 2, std::move(bodies));
    }
    default:
      return Status(Code::kInvalid, "reconcile: an unknown step");
  }
}

}  // namespace rhizome::sync
