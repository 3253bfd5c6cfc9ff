// Receipts as bytes, and their signature.
#include "extent/receipt.hpp"

#include <algorithm>

#include "wire/cbor.hpp"

namespace rhizome {

namespace {

Status malformed() {
  return {Code::kInvalid, "receipt: not the canonical CBOR that docs/protocol.md gives"};
}

// The signed part: everything but the signature.
std::string signed_body(const Receipt& receipt) {
  std::string out;
  wire::put_array(7, out);
  wire::put_fixed(receipt.fabric, out);
  wire::put_fixed(receipt.holder, out);
  wire::put_uint(receipt.number.incarnation, out);
  wire::put_uint(receipt.number.serial, out);
  wire::put_uint(receipt.synced ? 1 : 0, out);
  cbor_append_text(receipt.scope, out);
  wire::put_array(receipt.held.size(), out);
  for (const HeldLabels& held : receipt.held) {
    wire::put_array(5, out);
    wire::put_fixed(held.origin, out);
    wire::put_uint(held.epoch, out);
    wire::put_uint(held.last, out);
    wire::put_fixed(held.head, out);
    wire::put_array(2 * held.ranges.size(), out);
    for (const HeldRange& range : held.ranges) {
      wire::put_uint(range.first, out);
      wire::put_uint(range.last, out);
    }
  }
  return out;
}

std::string message_of(const Receipt& receipt) {
  const Hash256 hash = blake3(signed_body(receipt));
  return std::string(kReceiptDomain).append(view(hash.data(), hash.size()));
}

HeldLabels read_held(wire::Reader& reader) {
  HeldLabels held;
  reader.array_of(5);
  held.origin = reader.fixed<NodeKey>();
  held.epoch = reader.uint();
  held.last = reader.uint();
  held.head = reader.fixed<Hash256>();
  const std::uint64_t items = reader.array(2 * kMaxHeldRanges);
  std::uint64_t before = 0;  // the number behind which the next range may begin
  for (std::uint64_t i = 0; i < items / 2 && reader.ok(); ++i) {
    const std::uint64_t first = reader.uint();
    const std::uint64_t last = reader.uint();
    // Ranges that touch would be one.
    if (first <= before || first > last || last > held.last) reader.fail();
    before = last + 1;
    held.ranges.push_back({first, last});
  }
  if (items % 2 != 0 || held.epoch > kMaxEpoch || held.last == 0 || held.last > kMaxNumber)
    reader.fail();
  return held;
}

}  // namespace

bool HeldLabels::holds(std::uint64_t n) const {
  const auto behind =
      std::upper_bound(ranges.begin(), ranges.end(), n,
                       [](std::uint64_t number, const HeldRange& r) { return number < r.first; });
  return behind != ranges.begin() && n <= std::prev(behind)->last;
}

void sign(Receipt& receipt, const SigningKey& holder) {
  receipt.holder = holder.public_key();
  receipt.signature = holder.sign(message_of(receipt));
}

std::string encode(const Receipt& receipt) {
  std::string out;
  wire::put_array(2, out);
  out += signed_body(receipt);
  wire::put_fixed(receipt.signature, out);
  return out;
}

Result<Receipt> decode_receipt(ByteView bytes) {
  wire::Reader reader(bytes);
  Receipt receipt;
  reader.array_of(2);
  reader.array_of(7);
  receipt.fabric = reader.fixed<wire::FabricId>();
  receipt.holder = reader.fixed<NodeKey>();
  receipt.number.incarnation = reader.uint();
  receipt.number.serial = reader.uint();
  const std::uint64_t durability = reader.uint();
  receipt.synced = durability == 1;
  receipt.scope = reader.text();
  const std::uint64_t count = reader.array(kMaxReceiptEntries);
  std::size_t ranges = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    receipt.held.push_back(read_held(reader));
    ranges += receipt.held.back().ranges.size();
    if (ranges > kMaxReceiptRanges) reader.fail();
    if (i == 0) continue;
    const HeldLabels& before = receipt.held[i - 1];
    const HeldLabels& entry = receipt.held[i];
    if (std::pair(before.origin, before.epoch) >= std::pair(entry.origin, entry.epoch))
      reader.fail();
  }
  receipt.signature = reader.fixed<Signature>();
  if (!reader.done() || durability > 1 || receipt.scope.size() > kMaxReceiptScope ||
      receipt.number.incarnation == 0 || receipt.number.incarnation > kMaxIncarnation)
    return malformed();
  return receipt;
}

bool is_signed_by_holder(const Receipt& receipt) {
  return verify_strict(receipt.holder, message_of(receipt),
                       view(receipt.signature.data(), receipt.signature.size()));
}

std::vector<HeldRange> ranges_without(std::uint64_t last, std::vector<std::uint64_t> holes) {
  std::sort(holes.begin(), holes.end());
  std::vector<HeldRange> ranges;
  std::uint64_t next = 1;
  for (const std::uint64_t hole : holes) {
    if (hole > last) break;
    if (hole > next) ranges.push_back({next, hole - 1});
    next = std::max(next, hole + 1);
  }
  if (next <= last) ranges.push_back({next, last});
  if (ranges.size() > kMaxHeldRanges)
    ranges.erase(ranges.begin(), ranges.end() - static_cast<std::ptrdiff_t>(kMaxHeldRanges));
  return ranges;
}

}  // namespace rhizome
