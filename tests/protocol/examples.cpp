// Prints docs/protocol-examples.md: one frame of each kind, made by the node's own code from fixed
// keys and values. Called by tests/docs/generate.py; tests/stranger reads the page back with other
// libraries.
#include <cstdio>
#include <string>

#include "extent/messages.hpp"
#include "rhizome/delta/codec.hpp"
#include "sync/messages.hpp"
#include "wire/cbor.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "wire/pack.hpp"

namespace {

using namespace rhizome;
using wire::Kind;
using wire::Lane;

SigningKey key_of(std::uint8_t first) {
  std::array<std::uint8_t, 32> seed{};
  seed[0] = first;
  return SigningKey::from_seed(seed);
}

void print_hex(const char* name, ByteView bytes) {
  std::printf("%s\n", name);
  const std::string hex = to_hex(bytes);
  for (std::size_t at = 0; at < hex.size(); at += 96)
    std::printf("  %s\n", hex.substr(at, 96).c_str());
}

struct Examples {
  const SigningKey ada = key_of(1), bea = key_of(2);

  // From Ada to Bea, or to whoever subscribed.
  void frame(const char* title, Kind kind, Lane lane, ByteView body, bool addressed,
             std::uint64_t deadline_ms = 0) const {
    wire::Frame frame;
    frame.fabric = wire::fabric_id("default");
    frame.sender = ada.public_key();
    if (addressed) frame.recipient = view(bea.public_key().data(), bea.public_key().size());
    frame.kind = kind;
    frame.lane = lane;
    frame.deadline_ms = deadline_ms;
    frame.body = body;
    std::printf("\n## %s\n```text\n", title);
    print_hex("body", body);
    print_hex("frame", wire::seal(frame, ada));
    std::printf("```\n");
  }

  // Ada holds what she numbered; she and Bea are the roster, by Ada's own authority.
  void receipts(const Statement& statement) const {
    Receipt receipt;
    receipt.fabric = wire::fabric_id("default");
    receipt.number = {1700000002, 1};
    receipt.synced = true;
    receipt.held = {{ada.public_key(), statement.epoch, 1, statement.head, {{1, 1}}}};
    sign(receipt, ada);
    frame("Receipt: push (3)", Kind::kReceipt, Lane::kControl,
          encode(ReceiptBody(ReceiptPush{{encode(receipt)}})), true, 10000);
    frame("Receipt: known of you (3)", Kind::kReceipt, Lane::kControl,
          encode(ReceiptBody(IdentityAnswer{{1700000001, 7}})), true);
    frame("Receipt: keep me informed (3)", Kind::kReceipt, Lane::kControl,
          encode(ReceiptBody(ReceiptAsk{0, {}, {}, {bea.public_key()}})), true, 10000);
    Roster roster;
    roster.fabric = receipt.fabric;
    roster.version = 1;
    roster.voters = {{ada.public_key(), "ada"}, {bea.public_key(), "bea"}};
    sign(roster, ada);
    frame("Roster (4)", Kind::kRoster, Lane::kControl, encode(RosterBody{1, encode(roster)}), true);
  }

  // Ada has the one delta, Bea nothing: the digests differ and one cell shows it.
  void reconcile(const DeltaId& id) const {
    Sketch sketch(kSharedSketchKey, kFirstCounts + 1);
    sketch.add(short_id(id));
    LtHash digest;
    digest.add(id);
    const sync::Request compare = sync::Compare{digest.digest(), 1, first_counts(sketch)};
    frame("Reconcile: compare (23)", Kind::kReconcile, Lane::kCatchUp, sync::encode(compare), true,
          10000);
    const std::string cells = sketch.bytes(0, 1);
    frame("Reconcile: differs (23)", Kind::kReconcile, Lane::kCatchUp,
          sync::encode(sync::Reply(sync::Differs{1, cells})), true);
    frame("Reconcile: want (23)", Kind::kReconcile, Lane::kCatchUp,
          sync::encode(sync::Request(sync::Want{{short_id(id)}})), true, 10000);
  }

  int print() const {
    std::string claims;
    const Status encoded = encode_claims(
        ada.author(), 1700000000000,
        {{"subject", EntityRef{"film:1", "title"}}, {"value", ByteView("The Matrix")}}, claims);
    if (!encoded.ok()) return 1;
    const DeltaId id = DeltaId::of_claims(claims);
    const Signature signature = ada.sign(id.raw());
    const Statement statement = make_statement(ada, 1700000000, 1, {}, {id});

    std::printf(
        "# The protocol by example\n\nMade by tests/protocol/examples.cpp from the node's own "
        "code; "
        "tests/stranger reads it back with other\nlibraries. [protocol.md](protocol.md) says what "
        "the fields are. Ada speaks to Bea in the fabric `default`;\nall bytes are in hex.\n\n## "
        "Keys and the delta\n```text\n");
    std::string seed(32, '\0');
    seed[0] = 1;
    print_hex("seed of Ada", seed);
    print_hex("node key of Ada", view(ada.public_key().data(), 32));
    seed[0] = 2;
    print_hex("seed of Bea", seed);
    print_hex("node key of Bea", view(bea.public_key().data(), 32));
    const wire::FabricId fabric = wire::fabric_id("default");
    print_hex("fabric", view(fabric.data(), fabric.size()));
    print_hex("claims", claims);
    print_hex("id", id.raw());
    print_hex("signature of the id by Ada", view(signature.data(), signature.size()));
    print_hex("head after number 1", view(statement.head.data(), statement.head.size()));
    print_hex("signature of the statement", view(statement.signature.data(), 64));
    std::printf("```\n");

    const wire::Position position{ada.public_key(), statement.epoch, 1, statement.head};
    const wire::Hello hello{"ada",
                            {"tcp://127.0.0.1:7700"},
                            {"propagate", "announce", "fetch"},
                            {position},
                            {{"limits.max_future_ms", "900000"}}};
    frame("Hello (16)", Kind::kHello, Lane::kControl, wire::encode(hello), true, 10000);
    frame("Hello reply (17)", Kind::kHelloReply, Lane::kControl, wire::encode(hello), true);
    wire::Join join;
    join.ticket.fill(7);
    join.name = "ada";
    frame("Join (5)", Kind::kJoin, Lane::kStranger, wire::encode(join), true, 10000);
    frame("Announce (2)", Kind::kAnnounce, Lane::kControl, wire::encode_announce({position}), true,
          10000);
    const Statement other = make_statement(ada, 1700000000, 1, {}, {DeltaId::of_claims("another")});
    frame("Fork (6)", Kind::kFork, Lane::kControl,
          wire::encode_heads({signed_head(statement), signed_head(other)}), true, 10000);
    frame("Fetch (18)", Kind::kFetch, Lane::kCatchUp,
          wire::encode(wire::Fetch{bea.public_key(), 1700000001, 5, 2000, 1u << 20}), true, 10000);
    wire::Delivery delivery;
    delivery.statement = statement;
    delivery.bodies = {{claims, view(signature.data(), signature.size())}};
    frame("Propagate (1)", Kind::kPropagate, Lane::kLive, wire::encode(delivery), false);
    wire::Pack pack;
    pack.origin = ada.public_key();
    pack.epoch = statement.epoch;
    pack.from = 1;
    pack.runs = {{1, view(statement.signature.data(), 64), delivery.bodies}};
    frame("Fetch reply (19)", Kind::kFetchReply, Lane::kCatchUp, wire::encode(pack), true);
    frame("End of a fetch (30)", Kind::kAck, Lane::kCatchUp, wire::encode_fetched(2), true);
    receipts(statement);
    reconcile(id);
    frame("Ack (30)", Kind::kAck, Lane::kControl, {}, true);
    frame("Error (31)", Kind::kError, Lane::kControl,
          wire::encode(wire::Error{Code::kUnsupported, "this node answers no frames of kind 25"}),
          true);
    return 0;
  }
};

}  // namespace

int main() { return Examples().print(); }
