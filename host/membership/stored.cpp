// The journal's note "membership": acquaintances and waiting invitations, as canonical CBOR.
// Written whole: at once where a ticket depends on it, else with the next heartbeat.
#include "membership/membership.hpp"
#include "wire/cbor.hpp"

namespace rhizome {

namespace {

constexpr ByteView kNote = "membership";
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxAddresses = 16;

std::string bounded_text(wire::Reader& reader) {
  const ByteView text = reader.text();
  if (text.size() > kMaxText) reader.fail();
  return std::string(text);
}

}  // namespace

Result<std::unique_ptr<Membership>> Membership::load(Journal& journal, AdmissionMode mode) {
  std::unique_ptr<Membership> made(new Membership(journal, mode));
  const Result<std::optional<std::string>> note = journal.note(kNote);
  if (!note.ok()) return note.status();
  if (note->has_value())
    if (Status status = made->read(note->value()); !status.ok()) return status;
  return made;
}

bool Membership::has_news() const {
  const std::lock_guard lock(mutex_);
  return has_news_;
}

Status Membership::store() {
  const std::lock_guard writes(store_mutex_);
  std::string changed;
  {
    const std::lock_guard lock(mutex_);
    if (!has_news_) return {};
    has_news_ = false;
    changed = note();
  }
  Status stored = journal_.set_note(kNote, changed);
  if (!stored.ok()) {
    const std::lock_guard lock(mutex_);
    has_news_ = true;
  }
  return stored;
}

std::string Membership::note() const {
  std::string out;
  wire::put_array(2, out);
  wire::put_array(known_.size(), out);
  for (const auto& [link, known] : known_) {
    wire::put_array(6, out);
    wire::put_fixed(known.node.key, out);
    cbor_append_text(ByteView(known.node.name).substr(0, kMaxText), out);
    wire::put_array(known.node.addresses.size(), out);
    for (const std::string& address : known.node.addresses) cbor_append_text(address, out);
    wire::put_uint(known.node.invited ? 1 : 0, out);
    wire::put_uint(known.node.met_ms, out);
    cbor_append_bytes(known.ticket ? view(known.ticket->data(), known.ticket->size()) : ByteView(),
                      out);
  }
  wire::put_array(waiting_.size(), out);
  for (const Waiting& waiting : waiting_) {
    wire::put_array(3, out);
    wire::put_fixed(waiting.ticket_hash, out);
    wire::put_uint(waiting.until_ms, out);
    cbor_append_bytes(waiting.redeemed_by
                          ? view(waiting.redeemed_by->data(), waiting.redeemed_by->size())
                          : ByteView(),
                      out);
  }
  return out;
}

Status Membership::read(ByteView note) {
  wire::Reader reader(note);
  reader.array_of(2);
  const std::uint64_t nodes = reader.array(kMaxAcquaintances);
  for (std::uint64_t i = 0; i < nodes && reader.ok(); ++i) {
    reader.array_of(6);
    Known& known = remember(reader.fixed<NodeKey>());
    known.node.name = bounded_text(reader);
    const std::uint64_t addresses = reader.array(kMaxAddresses);
    for (std::uint64_t j = 0; j < addresses && reader.ok(); ++j)
      known.node.addresses.push_back(bounded_text(reader));
    known.node.invited = reader.uint() != 0;
    known.node.met_ms = reader.uint();
    const ByteView ticket = reader.bytes();
    if (ticket.size() == sizeof(InviteTicket)) {
      known.ticket.emplace();
      std::memcpy(known.ticket->data(), ticket.data(), ticket.size());
    }
  }
  const std::uint64_t invitations = reader.array(kMaxInvitations);
  for (std::uint64_t i = 0; i < invitations && reader.ok(); ++i) {
    reader.array_of(3);
    Waiting& waiting = waiting_.emplace_back();
    waiting.ticket_hash = reader.fixed<Hash256>();
    waiting.until_ms = reader.uint();
    const ByteView key = reader.bytes();
    if (key.size() == sizeof(NodeKey)) {
      waiting.redeemed_by.emplace();
      std::memcpy(waiting.redeemed_by->data(), key.data(), key.size());
    }
  }
  if (!reader.done()) return {Code::kCorrupt, "journal: the note of known nodes is damaged"};
  return {};
}

}  // namespace rhizome
