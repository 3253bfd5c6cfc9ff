// Encoding and decoding of the bodies of kReceipt and kRoster frames.
#include "extent/messages.hpp"

#include "wire/cbor.hpp"

namespace rhizome {

namespace {

enum Form : std::uint64_t { kPush = 1, kIdentityAsk = 2, kIdentityAnswer = 3, kAsk = 4 };

Status malformed(const char* what) {
  return {Code::kInvalid,
          std::string(what) + ": not the canonical CBOR that docs/protocol.md gives"};
}

void put_nodes(const std::vector<NodeKey>& nodes, std::string& out) {
  wire::put_array(nodes.size(), out);
  for (const NodeKey& node : nodes) wire::put_fixed(node, out);
}

std::vector<NodeKey> read_nodes(wire::Reader& reader, std::size_t most) {
  std::vector<NodeKey> nodes;
  const std::uint64_t count = reader.array(most);
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) nodes.push_back(reader.fixed<NodeKey>());
  return nodes;
}

struct Encoder {
  std::string out;
  void operator()(const ReceiptPush& push) {
    wire::put_array(2, out);
    wire::put_uint(kPush, out);
    wire::put_array(push.receipts.size(), out);
    for (const std::string& receipt : push.receipts) cbor_append_bytes(receipt, out);
  }
  void operator()(const IdentityAsk&) {
    wire::put_array(1, out);
    wire::put_uint(kIdentityAsk, out);
  }
  void operator()(const IdentityAnswer& answer) {
    wire::put_array(2, out);
    wire::put_uint(kIdentityAnswer, out);
    cbor_append_bytes(answer.receipt, out);
  }
  void operator()(const ReceiptAsk& ask) {
    wire::put_array(5, out);
    wire::put_uint(kAsk, out);
    wire::put_uint(ask.hops, out);
    put_nodes(ask.holders, out);
    put_nodes(ask.urgent, out);
    put_nodes(ask.lazy, out);
  }
};

}  // namespace

std::string encode(const ReceiptBody& body) {
  Encoder encoder;
  std::visit(encoder, body);
  return std::move(encoder.out);
}

Result<ReceiptBody> decode_receipt_body(ByteView bytes) {
  wire::Reader reader(bytes);
  const std::uint64_t items = reader.array(5);
  const std::uint64_t form = reader.uint();
  ReceiptBody body = IdentityAsk{};
  if (form == kPush && items == 2) {
    ReceiptPush push;
    const std::uint64_t count = reader.array(kMaxPushed);
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i)
      push.receipts.emplace_back(reader.bytes());
    body = std::move(push);
  } else if (form == kIdentityAnswer && items == 2) {
    body = IdentityAnswer{std::string(reader.bytes())};
  } else if (form == kAsk && items == 5) {
    ReceiptAsk ask;
    ask.hops = reader.uint();
    if (ask.hops > kMaxHops) reader.fail();
    ask.holders = read_nodes(reader, kMaxVoters);
    ask.urgent = read_nodes(reader, kMaxAskedOrigins);
    ask.lazy = read_nodes(reader, kMaxAskedOrigins);
    body = std::move(ask);
  } else if (form != kIdentityAsk || items != 1) {
    reader.fail();
  }
  if (!reader.done()) return malformed("receipt frame");
  return body;
}

std::string encode(const RosterBody& body) {
  std::string out;
  wire::put_array(2, out);
  wire::put_uint(body.version, out);
  cbor_append_bytes(body.roster, out);
  return out;
}

Result<RosterBody> decode_roster_body(ByteView bytes) {
  wire::Reader reader(bytes);
  reader.array_of(2);
  RosterBody body;
  body.version = reader.uint();
  body.roster = reader.bytes();
  if (!reader.done()) return malformed("roster frame");
  return body;
}

}  // namespace rhizome
