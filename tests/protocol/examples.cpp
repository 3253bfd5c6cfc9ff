// Prints docs/protocol-examples.md: frames of each kind, made by the node's own code from fixed
// keys and values. Called by tests/docs/generate.py; tests/stranger reads the page back with other
// libraries.
#include <cstdio>
#include <cstring>
#include <string>

#include "extent/messages.hpp"
#include "rhizome/delta/codec.hpp"
#include "session/cipher.hpp"
#include "session/publication.hpp"
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

  // From Ada to Bea on a proven connection, in their session.
  static wire::Frame made(Kind kind, Lane lane, ByteView body, std::uint32_t timeout_ms = 0) {
    wire::Frame frame;
    frame.kind = kind;
    frame.lane = lane;
    frame.timeout_ms = timeout_ms;
    frame.body = body;
    return frame;
  }
  void frame(const char* title, Kind kind, Lane lane, ByteView body,
             std::uint32_t timeout_ms = 0) const {
    std::printf("\n## %s\n```text\n", title);
    print_hex("body", body);
    print_hex("frame", wire::encode_frame(made(kind, lane, body, timeout_ms)));
    std::printf("```\n");
  }

  session::Local local(const SigningKey& key, std::uint8_t boot) const {
    session::Local made_local{&key, wire::fabric_id("default"), "default", {}, {}, not_random};
    made_local.boot.fill(boot);
    (void)link_key_of(key.public_key(), made_local.link.data());
    return made_local;
  }
  // The n-th draw is all n: what the page shows is always the same.
  static std::uint8_t& draws() {
    static std::uint8_t count = 0;
    return count;
  }
  static void not_random(void* out, std::size_t size) { std::memset(out, ++draws(), size); }

  // All of one hello; on an unproven connection also what is sealed behind it.
  int hello(bool proven) const {
    const session::Local of_ada = local(ada, 0xa0), of_bea = local(bea, 0xb0);
    const bool ada_begins = of_ada.link < of_bea.link;
    const session::Local& first = ada_begins ? of_ada : of_bea;
    const session::Local& second = ada_begins ? of_bea : of_ada;
    session::Handshake initiator(first, second.link, proven), responder(second, first.link, proven);
    const std::string hello = initiator.begin();
    const Result<std::string> reply = responder.answer(hello, std::nullopt);
    if (!reply.ok()) return 1;
    const std::uint8_t secret_of_responder = draws();
    session::Agreed agreed;
    const Result<std::string> confirm = initiator.finish(*reply, std::nullopt, agreed);
    if (!confirm.ok()) return 1;
    const std::string level = proven ? ", proven (" : ", unproven (";
    frame(("Hello" + level + "16)").c_str(), Kind::kHello, Lane::kControl, hello, 5000);
    frame(("Hello reply" + level + "17)").c_str(), Kind::kHelloReply, Lane::kControl, *reply);
    frame(("Confirm" + level + "9)").c_str(), Kind::kConfirm, Lane::kControl, *confirm, 5000);
    if (proven) return 0;
    std::printf("\n## Keys of the unproven session\n```text\n");
    print_hex("ephemeral secret of the responder",
              std::string(32, static_cast<char>(secret_of_responder)));
    print_hex("key of the initiator", view(agreed.send.data(), agreed.send.size()));
    std::printf("```\n\n## Sealed (20)\n```text\n");
    session::Sealer sealer(agreed.send);
    const std::string body = "any body";
    print_hex("plain body", body);
    const std::string sealed = sealer.seal(made(Kind::kQuery, Lane::kRequest, body, 10000),
                                           session::Pattern::kRequest, 77, RZ_LANE_LIVE);
    print_hex("frame", sealed);
    std::printf("```\n");
    return 0;
  }

  void publication(ByteView delivery) const {
    const session::Local of_ada = local(ada, 0xa0);
    session::Publisher publisher(of_ada);
    const std::string topic = "o" + std::string(view(ada.public_key().data(), 32));
    std::printf("\n## Publication (7)\n```text\n");
    print_hex("boot nonce of Ada", view(of_ada.boot.data(), of_ada.boot.size()));
    print_hex("frame", publisher.publish(topic, delivery));
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
          encode(ReceiptBody(ReceiptPush{{encode(receipt)}})), 10000);
    frame("Receipt: known of you (3)", Kind::kReceipt, Lane::kControl,
          encode(ReceiptBody(IdentityAnswer{encode(receipt)})));
    frame("Receipt: keep me informed (3)", Kind::kReceipt, Lane::kControl,
          encode(ReceiptBody(ReceiptAsk{0, {}, {}, {bea.public_key()}})), 10000);
    Roster roster;
    roster.fabric = receipt.fabric;
    roster.version = 1;
    roster.voters = {{ada.public_key(), "ada"}, {bea.public_key(), "bea"}};
    sign(roster, ada);
    frame("Roster (4)", Kind::kRoster, Lane::kControl, encode(RosterBody{1, encode(roster)}));
  }

  // Ada has the one delta, Bea nothing: the digests differ and one cell shows it.
  void reconcile(const DeltaId& id) const {
    Sketch sketch(kSharedSketchKey, kFirstCounts + 1);
    sketch.add(short_id(id));
    LtHash digest;
    digest.add(id);
    const sync::Request compare = sync::Compare{digest.digest(), 1, first_counts(sketch)};
    frame("Reconcile: compare (23)", Kind::kReconcile, Lane::kCatchUp, sync::encode(compare),
          10000);
    const std::string cells = sketch.bytes(0, 1);
    frame("Reconcile: differs (23)", Kind::kReconcile, Lane::kCatchUp,
          sync::encode(sync::Reply(sync::Differs{1, cells})));
    frame("Reconcile: want (23)", Kind::kReconcile, Lane::kCatchUp,
          sync::encode(sync::Request(sync::Want{{short_id(id)}})), 10000);
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
        "the fields are. Ada speaks to Bea in the fabric `default`,\non a proven connection but "
        "for what is called unproven, sealed or publication; all bytes are in hex.\n\n## "
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
    if (hello(true) != 0 || hello(false) != 0) return 1;
    const wire::Introduction own{"ada",
                                 {"tcp://127.0.0.1:7700"},
                                 {"propagate", "announce", "fetch"},
                                 {position},
                                 {{"limits.max_future_ms", "900000"}}};
    frame("Introduce (8)", Kind::kIntroduce, Lane::kControl, wire::encode(own), 10000);
    wire::Join join;
    join.ticket.fill(7);
    join.name = "ada";
    frame("Join (5)", Kind::kJoin, Lane::kStranger, wire::encode(join), 10000);
    frame("Announce (2)", Kind::kAnnounce, Lane::kControl, wire::encode_announce({position}),
          10000);
    const Statement other = make_statement(ada, 1700000000, 1, {}, {DeltaId::of_claims("another")});
    frame("Fork (6)", Kind::kFork, Lane::kControl,
          wire::encode_heads({signed_head(statement), signed_head(other)}), 10000);
    frame("Fetch (18)", Kind::kFetch, Lane::kCatchUp,
          wire::encode(wire::Fetch{bea.public_key(), 1700000001, 5, 2000, 1u << 20}), 10000);
    wire::Delivery delivery;
    delivery.statement = statement;
    delivery.bodies = {{claims, view(signature.data(), signature.size())}};
    frame("Propagate (1)", Kind::kPropagate, Lane::kLive, wire::encode(delivery));
    publication(wire::encode(delivery));
    wire::Pack pack;
    pack.origin = ada.public_key();
    pack.epoch = statement.epoch;
    pack.from = 1;
    pack.runs = {{1, view(statement.signature.data(), 64), delivery.bodies}};
    frame("Fetch reply (19)", Kind::kFetchReply, Lane::kCatchUp, wire::encode(pack));
    frame("End of a fetch (30)", Kind::kAck, Lane::kCatchUp, wire::encode_fetched(2));
    receipts(statement);
    reconcile(id);
    frame("Ack (30)", Kind::kAck, Lane::kControl, {});
    frame(
        "Error (31)", Kind::kError, Lane::kControl,
        wire::encode(wire::Error{Code::kUnsupported, "this node answers no frames of kind 25", 0}),
        0);
    return 0;
  }
};

}  // namespace

int main() { return Examples().print(); }
