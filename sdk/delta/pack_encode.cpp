// Packs, written. The reader is pack_decode.cpp. Called by export, archives and tests, any thread.
#include <algorithm>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "pack_format.hpp"
#include "rhizome/delta/pack.hpp"

namespace rhizome {

namespace {

constexpr std::uint32_t kNobody = 0xffffffff;

struct Item {
  DeltaView delta;
  ByteView id_hex;
  ByteView signature_hex;            // empty: none
  std::uint32_t envelope = kNobody;  // a member's manifest, by its place among the envelopes
  bool is_manifest = false;
};

ByteView signature_of(DeltaView delta) {
  static constexpr std::uint8_t kNone[RZ_DELTA_SIGNATURE_SIZE] = {};
  return delta.signature() == view(kNone, sizeof kNone) ? ByteView() : delta.signature();
}

bool is_member_pointer(PointerView p) { return p.is_delta() && p.role() == pack::kMemberRole; }

bool is_manifest(DeltaView delta) {
  for (std::size_t i = 0; i < delta.size(); ++i)
    if (is_member_pointer(delta[i])) return true;
  return false;
}

class PackWriter {
 public:
  PackWriter(const std::vector<DeltaView>& deltas, std::string& out) : out_(out) { sort(deltas); }

  Status write() {
    if (items_.size() > kPackMaxDeltas)
      return {Code::kLimit, "pack: " + std::to_string(items_.size()) + " deltas; at most " +
                                std::to_string(kPackMaxDeltas) + ": make several packs"};
    claim_members();
    intern();
    if (strings_.size() > pack::kMaxStrings)
      return {Code::kLimit, "pack: " + std::to_string(strings_.size()) +
                                " distinct strings; at most " + std::to_string(pack::kMaxStrings) +
                                ": make several packs"};
    const std::size_t start = out_.size();
    cbor_append_head(5, 5, out_);
    section("loose", loose_);
    section("members", members_);
    cbor_append_text("strings", out_);
    cbor_append_head(4, strings_.size(), out_);
    for (const ByteView text : strings_) cbor_append_text(text, out_);
    cbor_append_text("version", out_);
    cbor_append_float(pack::kVersion, out_);
    section("envelopes", envelopes_);
    if (out_.size() - start <= kPackMaxBytes) return {};
    out_.resize(start);
    return {Code::kLimit,
            "pack: over " + std::to_string(kPackMaxBytes >> 20) + " MiB: make several packs"};
  }

 private:
  // By id, each id once; of two copies the one with the (lesser) signature.
  void sort(const std::vector<DeltaView>& deltas) {
    std::vector<DeltaView> sorted = deltas;
    std::sort(sorted.begin(), sorted.end(), [](const DeltaView& a, const DeltaView& b) {
      if (const int order = a.id().compare(b.id()); order != 0) return order < 0;
      const ByteView left = signature_of(a), right = signature_of(b);
      return left.empty() != right.empty() ? right.empty() : left < right;
    });
    for (const DeltaView delta : sorted) {
      if (!items_.empty() && items_.back().delta.id() == delta.id()) continue;
      Item item{delta, keep(to_hex(delta.id())), {}, kNobody, is_manifest(delta)};
      if (const ByteView signature = signature_of(delta); !signature.empty())
        item.signature_hex = keep(to_hex(signature));
      items_.push_back(item);
    }
  }

  ByteView keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  // Manifests stay whole; what the first of them claims becomes its member; the rest is loose.
  void claim_members() {
    std::unordered_map<ByteView, Item*> by_id;
    by_id.reserve(items_.size());
    for (Item& item : items_) by_id.emplace(item.id_hex, &item);
    for (const Item& item : items_)
      if (item.is_manifest) envelopes_.push_back(&item);
    for (std::uint32_t e = 0; e < envelopes_.size(); ++e) {
      const DeltaView manifest = envelopes_[e]->delta;
      for (std::size_t i = 0; i < manifest.size(); ++i) {
        if (!is_member_pointer(manifest[i])) continue;
        const auto found = by_id.find(manifest[i].target());
        if (found == by_id.end()) continue;
        Item& item = *found->second;
        if (!item.is_manifest && item.envelope == kNobody) item.envelope = e;
      }
    }
    for (Item& item : items_) {
      if (item.is_manifest) continue;
      // A time that would not come back exactly keeps the delta whole (ERRATA-8 P6).
      const bool member =
          item.envelope != kNobody &&
          pack::restores(envelopes_[item.envelope]->delta.timestamp(), item.delta.timestamp());
      (member ? members_ : loose_).push_back(&item);
    }
  }

  // The string table: all that the records will refer to, in the order of raw bytes.
  void intern() {
    for (const Item& item : items_) {
      const DeltaView delta = item.delta;
      strings_.push_back(item.id_hex);
      strings_.push_back(delta.author());
      if (!item.signature_hex.empty()) strings_.push_back(item.signature_hex);
      for (std::size_t i = 0; i < delta.size(); ++i) {
        const PointerView p = delta[i];
        strings_.push_back(p.role());
        if (p.is_entity() || p.is_delta() || p.kind() == RZ_TARGET_STRING)
          strings_.push_back(p.target());
        if (!p.context().empty()) strings_.push_back(p.context());
      }
      // Few are distinct: compact as it grows, so that memory follows the pack and not the set.
      if (strings_.size() > compact_at_) compact();
    }
    compact();
    index_.reserve(strings_.size());
    for (std::uint32_t i = 0; i < strings_.size(); ++i) index_.emplace(strings_[i], i);
  }

  void compact() {
    std::sort(strings_.begin(), strings_.end());
    strings_.erase(std::unique(strings_.begin(), strings_.end()), strings_.end());
    compact_at_ = std::max<std::size_t>(1u << 16, 2 * strings_.size());
  }

  void field(ByteView key, double value) {
    cbor_append_text(key, out_);
    cbor_append_float(value, out_);
  }
  void field(ByteView key, ByteView text) { field(key, static_cast<double>(index_.at(text))); }

  void section(ByteView name, const std::vector<const Item*>& items) {
    cbor_append_text(name, out_);
    cbor_append_head(4, items.size(), out_);
    for (const Item* item : items) {
      if (&items == &members_) {
        member(*item);
      } else {
        record(*item);
      }
    }
  }

  void record(const Item& item) {
    const bool is_signed = !item.signature_hex.empty();
    cbor_append_head(5, is_signed ? 5 : 4, out_);
    field("a", item.delta.author());
    field("i", item.id_hex);
    pointers(item.delta);
    if (is_signed) field("s", item.signature_hex);
    field("t", item.delta.timestamp());
  }

  void member(const Item& item) {
    const DeltaView manifest = envelopes_[item.envelope]->delta;
    const bool is_signed = !item.signature_hex.empty();
    const bool other_author = item.delta.author() != manifest.author();
    const bool other_time = item.delta.timestamp() != manifest.timestamp();
    cbor_append_head(5, 3u + is_signed + other_author + other_time, out_);
    if (other_author) field("a", item.delta.author());
    field("i", item.id_hex);
    field("m", static_cast<double>(item.envelope));
    pointers(item.delta);
    if (is_signed) field("s", item.signature_hex);
    if (other_time) field("dt", item.delta.timestamp() - manifest.timestamp());
  }

  void pointers(DeltaView delta) {
    cbor_append_text("p", out_);
    cbor_append_head(4, delta.size(), out_);
    for (std::size_t i = 0; i < delta.size(); ++i) pointer(delta[i]);
  }

  void pointer(PointerView p) {
    const bool bytes = p.kind() == RZ_TARGET_BYTES;
    const bool context = !bytes && !p.context().empty();
    cbor_append_head(5, 2u + context + bytes, out_);
    if (p.kind() == RZ_TARGET_BOOLEAN) {
      cbor_append_text("b", out_);
      out_.push_back(static_cast<char>(p.boolean() ? 0xf5 : 0xf4));
    }
    if (context) field("c", p.context());
    if (p.is_delta()) field("d", p.target());
    if (p.is_entity()) field("e", p.target());
    if (bytes) field("m", p.context());
    if (p.kind() == RZ_TARGET_NUMBER) field("n", p.number());
    field("r", p.role());
    if (p.kind() == RZ_TARGET_STRING) field("s", p.target());
    if (bytes) {
      cbor_append_text("y", out_);
      cbor_append_bytes(p.target(), out_);
    }
  }

  std::string& out_;
  std::vector<Item> items_;
  std::deque<std::string> kept_;
  std::vector<const Item*> envelopes_, members_, loose_;
  std::vector<ByteView> strings_;
  std::unordered_map<ByteView, std::uint32_t> index_;
  std::size_t compact_at_ = 1u << 16;
};

}  // namespace

Status encode_pack(const std::vector<DeltaView>& deltas, std::string& out) {
  return PackWriter(deltas, out).write();
}

Status encode_pack(const DeltaBatch& deltas, std::string& out) {
  std::vector<DeltaView> views;
  views.reserve(deltas.size());
  for (std::size_t i = 0; i < deltas.size(); ++i) views.push_back(deltas[i]);
  return encode_pack(views, out);
}

}  // namespace rhizome
