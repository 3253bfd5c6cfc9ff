// Decoding and checking what a publisher sent.
#include "feeds/receiver.hpp"

#include <algorithm>

#include "feeds/events.hpp"
#include "rhizome/delta/codec.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome::feeds {

namespace {

constexpr std::size_t kChecksATask = 16;

bool is_good(std::uint32_t state) {
  return state == RZ_SIGNATURE_VERIFIED || state == RZ_SIGNATURE_VOUCHED;
}

}  // namespace

void Covers::begin() {
  before_ = std::move(now_);
  now_.clear();
}

void Covers::add(const DeltaId& member, ByteView author) {
  std::vector<std::string>& authors = now_[member];
  if (std::find(authors.begin(), authors.end(), author) == authors.end())
    authors.emplace_back(author);
}

std::uint32_t Covers::state_of(DeltaView delta) const {
  std::uint32_t state = RZ_SIGNATURE_UNSIGNED;
  const DeltaId id = DeltaId::from_raw(delta.id());
  for (const Authors* covers : {&now_, &before_}) {
    const auto found = covers->find(id);
    if (found == covers->end()) continue;
    for (const std::string& author : found->second) {
      if (author == delta.author()) return RZ_SIGNATURE_VERIFIED;
      state = RZ_SIGNATURE_VOUCHED;
    }
  }
  return state;
}

std::size_t Covers::size() const {
  std::size_t size = 0;
  for (const Authors* covers : {&now_, &before_})
    for (const auto& [member, authors] : *covers) size += authors.size();
  return size;
}

void Receiver::receive(const Batch& batch, Covers& covers,
                       std::map<std::uint64_t, FeedBatch>& out) {
  DeltaBatch decoded;
  std::vector<std::size_t> place(batch.items.size(), SIZE_MAX);  // in `decoded`
  std::vector<std::size_t> manifests;
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const Batch::Item& item = batch.items[i];
    const DecodeError error = item.signature.empty()
                                  ? decode_claims(item.claims, decoded)
                                  : decode_claims(item.claims, item.signature, decoded);
    if (error != DecodeError::kNone) continue;
    place[i] = decoded.size() - 1;
    if (item.numbers.empty()) manifests.push_back(place[i]);
  }
  if (!trusted_) check(decoded, manifests, covers);
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    const Batch::Item& item = batch.items[i];
    const bool good =
        place[i] != SIZE_MAX && (trusted_ || is_good(decoded[place[i]].signature_state()));
    for (const std::uint64_t number : item.numbers) {
      FeedBatch& feed = out[number];
      if (!good) {
        ++feed.refused;
        continue;
      }
      feed.deltas.append(decoded[place[i]]);
      feed.seqs.push_back(item.seq);
    }
  }
}

void Receiver::check(DeltaBatch& deltas, const std::vector<std::size_t>& manifests,
                     Covers& covers) {
  const std::size_t tasks = (deltas.size() + kChecksATask - 1) / kChecksATask;
  executor_.parallel(tasks, [&](std::size_t task) {
    const std::size_t end = std::min(deltas.size(), (task + 1) * kChecksATask);
    for (std::size_t i = task * kChecksATask; i < end; ++i)
      deltas.mutable_block(i)->signature_state =
          static_cast<std::uint8_t>(check_signature(deltas[i]));
  });
  for (const std::size_t m : manifests) {
    if (deltas[m].signature_state() != RZ_SIGNATURE_VERIFIED) continue;
    for (std::size_t i = 0; i < deltas[m].size(); ++i) {
      const PointerView p = deltas[m][i];
      if (!p.is_delta() || p.role() != kMemberRole) continue;
      if (const auto id = DeltaId::from_hex(p.target())) covers.add(*id, deltas[m].author());
    }
  }
  for (std::size_t i = 0; i < deltas.size(); ++i)
    if (deltas[i].signature_state() == RZ_SIGNATURE_UNSIGNED)
      deltas.mutable_block(i)->signature_state =
          static_cast<std::uint8_t>(covers.state_of(deltas[i]));
}

}  // namespace rhizome::feeds
