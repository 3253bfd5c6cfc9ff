// The message format of Negentropy V1 and the two sides' turns over it.
#include "sync/negentropy.hpp"

#include <algorithm>

#include "sync/varint.hpp"

namespace rhizome::negentropy {

namespace {

enum Mode : std::uint64_t { kSkip = 0, kFingerprint = 1, kIdList = 2 };

constexpr std::size_t kReadAtOnce = 1024;  // items of an id list

Status malformed(std::string_view what) {
  return {Code::kInvalid, "negentropy: " + std::string(what)};
}

}  // namespace

// One message being read and the answer being written.
struct Session::Turn {
  explicit Turn(ByteView message) : in(message) { out.push_back(static_cast<char>(kVersion)); }

  VarintReader in;
  std::string out;
  std::uint64_t last_in = 0, last_out = 0;
  std::size_t index = 0;  // of ours, where the next range begins
  Bound bound{};          // where the last range ended
  bool skipping = false;  // ranges were skipped and not yet written
  bool full = false;      // the frame limit ended this turn

  bool read_bound(Bound& to) {
    const std::uint64_t coded = in.number();
    if (coded == 0 || last_in == kInfinity)
      last_in = kInfinity;
    else if (coded - 1 > kInfinity - 1 - last_in)
      in.fail();
    else
      last_in += coded - 1;
    to = {{last_in, {}}, static_cast<std::size_t>(in.number())};
    if (to.size > kIdSize) in.fail();
    const ByteView prefix = in.take(in.ok() ? to.size : 0);
    std::copy(prefix.begin(), prefix.end(), to.item.id.begin());
    return in.ok();
  }

  void write_bound(const Bound& from, std::string& to) {
    const std::uint64_t timestamp = from.item.timestamp;
    put_varint(timestamp == kInfinity ? 0 : timestamp - last_out + 1, to);
    last_out = timestamp;
    put_varint(from.size, to);
    to.append(view(from.item.id.data(), from.size));
  }

  void write_skipped(std::string& to) {
    if (!skipping) return;
    skipping = false;
    write_bound(bound, to);
    put_varint(kSkip, to);
  }
};

Result<std::string> Session::initiate() {
  if (options_.frame_limit != 0 && options_.frame_limit < kLeastFrame)
    return malformed("the frame limit is below 4096 bytes");
  initiator_ = true;
  Turn turn{{}};
  RZ_TRY(split(turn, 0, storage_.size(), Bound::infinity(), turn.out));
  return std::move(turn.out);
}

Result<std::string> Session::reconcile(ByteView message) {
  if (options_.frame_limit != 0 && options_.frame_limit < kLeastFrame)
    return malformed("the frame limit is below 4096 bytes");
  if (message.empty()) return malformed("an empty message");
  const auto version = static_cast<std::uint8_t>(message[0]);
  if (version < 0x60 || version > 0x6f) return malformed("no version byte");
  Turn turn(message.substr(1));
  if (version != kVersion) {
    if (initiator_) return malformed("a version that we do not speak");
    return std::move(turn.out);  // our version: the other side tries again with it
  }
  while (!turn.in.done() && !turn.full) {
    RZ_TRY(take_range(turn));
    if (!turn.in.ok()) return malformed("a malformed message");
  }
  if (initiator_ && turn.out.size() == 1) turn.out.clear();
  return std::move(turn.out);
}

Status Session::take_range(Turn& turn) {
  Bound bound;
  if (!turn.read_bound(bound)) return {};
  const std::uint64_t mode = turn.in.number();
  if (!turn.in.ok()) return {};
  const std::size_t lower = turn.index;
  Result<std::size_t> found = storage_.lower_bound(lower, storage_.size(), bound);
  if (!found.ok()) return found.status();
  std::size_t upper = *found;
  // What this range adds; an answer that does not fit is left out and covered by a fingerprint.
  std::string out;
  const std::uint64_t last_out = turn.last_out;
  const bool skipping = turn.skipping;
  if (mode == kSkip) {
    turn.skipping = true;
  } else if (mode == kFingerprint) {
    const ByteView theirs = turn.in.take(kFingerprintSize);
    if (!turn.in.ok()) return {};
    const Result<Fingerprint> ours = storage_.fingerprint(lower, upper);
    if (!ours.ok()) return ours.status();
    if (theirs == view(ours->data(), ours->size())) {
      turn.skipping = true;
    } else {
      turn.write_skipped(out);
      RZ_TRY(split(turn, lower, upper, bound, out));
    }
  } else if (mode == kIdList) {
    RZ_TRY(take_ids(turn, lower, upper, bound, out));
    if (!turn.in.ok()) return {};
  } else {
    turn.in.fail();
    return {};
  }
  if (over_limit(turn.out.size() + out.size())) {
    // An id list stands as far as it went; any other answer waits for the next turn.
    if (mode == kIdList) {
      turn.out.append(out);
    } else {
      turn.last_out = last_out;
      turn.skipping = skipping;
      turn.write_skipped(turn.out);
      upper = lower;
    }
    const Result<Fingerprint> rest = storage_.fingerprint(upper, storage_.size());
    if (!rest.ok()) return rest.status();
    turn.write_bound(Bound::infinity(), turn.out);
    put_varint(kFingerprint, turn.out);
    turn.out.append(view(rest->data(), rest->size()));
    turn.full = true;
    return {};
  }
  turn.out.append(out);
  turn.index = upper;
  turn.bound = bound;
  return {};
}

Status Session::take_ids(Turn& turn, std::size_t lower, std::size_t& upper, const Bound& bound,
                         std::string& out) {
  const std::uint64_t count = turn.in.number();
  if (count > turn.in.left() / kIdSize) turn.in.fail();
  const ByteView bytes = turn.in.take(turn.in.ok() ? count * kIdSize : 0);
  if (!turn.in.ok()) return {};
  if (initiator_) {
    std::vector<Id> theirs(static_cast<std::size_t>(count));
    if (count > 0) std::memcpy(theirs.data(), bytes.data(), bytes.size());
    turn.skipping = true;
    return compare_ids(theirs, lower, upper);
  }
  turn.write_skipped(out);
  std::string ids;
  std::vector<Item> items;
  Bound end = bound;
  std::size_t at = lower;
  bool cut = false;
  while (at < upper && !cut) {
    items.clear();
    const std::size_t stop = std::min(upper, at + kReadAtOnce);
    RZ_TRY(storage_.items(at, stop, items));
    for (const Item& item : items) {
      cut = over_limit(turn.out.size() + out.size() + ids.size());
      if (cut) {
        end = {item, kIdSize};
        break;
      }
      ids.append(view(item.id.data(), item.id.size()));
      ++at;
    }
  }
  upper = at;
  turn.write_bound(end, out);
  put_varint(kIdList, out);
  put_varint(ids.size() / kIdSize, out);
  out.append(ids);
  return {};
}

Status Session::compare_ids(const std::vector<Id>& theirs, std::size_t lower, std::size_t upper) {
  std::unordered_set<Id, IdHash> missing(theirs.begin(), theirs.end());
  std::vector<Item> items;
  for (std::size_t at = lower; at < upper; at += items.size()) {
    items.clear();
    RZ_TRY(storage_.items(at, std::min(upper, at + kReadAtOnce), items));
    if (items.empty()) return {Code::kCorrupt, "negentropy: items of its own storage are missing"};
    for (const Item& item : items)
      if (missing.erase(item.id) == 0 && found_.insert(item.id).second) have_.push_back(item.id);
  }
  for (const Id& id : missing)
    if (found_.insert(id).second) need_.push_back(id);
  return {};
}

Status Session::split(Turn& turn, std::size_t lower, std::size_t upper, const Bound& bound,
                      std::string& out) {
  const std::size_t count = upper - lower;
  if (count < 2 * options_.fan_out) {
    std::vector<Item> items;
    RZ_TRY(storage_.items(lower, upper, items));
    turn.write_bound(bound, out);
    put_varint(kIdList, out);
    put_varint(count, out);
    for (const Item& item : items) out.append(view(item.id.data(), item.id.size()));
    return {};
  }
  std::size_t begin = lower;
  for (std::size_t bucket = 0; bucket < options_.fan_out; ++bucket) {
    const std::size_t size = count / options_.fan_out + (bucket < count % options_.fan_out ? 1 : 0);
    const std::size_t end = begin + size;
    const Result<Fingerprint> fingerprint = storage_.fingerprint(begin, end);
    if (!fingerprint.ok()) return fingerprint.status();
    Bound next = bound;
    if (end != upper) {
      std::vector<Item> neighbours;
      RZ_TRY(storage_.items(end - 1, end + 1, neighbours));
      if (neighbours.size() != 2) return {Code::kCorrupt, "negentropy: an item is missing"};
      next = bound_between(neighbours[0], neighbours[1]);
    }
    turn.write_bound(next, out);
    put_varint(kFingerprint, out);
    out.append(view(fingerprint->data(), fingerprint->size()));
    begin = end;
  }
  return {};
}

}  // namespace rhizome::negentropy
