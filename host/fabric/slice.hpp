// Some of one statement's bodies on their way in by catch-up: a run of a pack, or a part of one.
// Private to host/fabric. The owner of a slice's bytes travels beside it.
#pragma once

#include <optional>
#include <vector>

#include "wire/pack.hpp"

namespace rhizome {

struct Slice {
  std::uint64_t from = 0, count = 0;     // the whole statement
  std::optional<Hash256> previous_head;  // where the sender gave it
  ByteView signature;
  std::uint64_t first = 0;  // index, in the statement, of the first body
  std::vector<wire::Body> bodies;
  // Filled by ingest, on all cores: ids of the bodies, and the statement where it is whole, the
  // head before it is known and its signature checks out.
  std::vector<DeltaId> ids;
  std::optional<Statement> checked;

  std::uint64_t begin() const { return from + first; }           // the first body's number
  std::uint64_t end() const { return begin() + bodies.size(); }  // behind the last one's
  std::size_t bytes() const {
    std::size_t bytes = 0;
    for (const wire::Body& body : bodies) bytes += body.claims.size() + body.signature.size();
    return bytes;
  }
  // Claims and signatures alone: a body that the sender does not hold has an id in its place.
  std::size_t payload_bytes() const {
    std::size_t bytes = 0;
    for (const wire::Body& body : bodies)
      if (!body.claims.empty()) bytes += body.claims.size() + body.signature.size();
    return bytes;
  }
  // Takes the first `n` bodies out of it. REQUIRES: n <= bodies.size()
  Slice take_front(std::size_t n) {
    Slice front = *this;
    front.bodies.resize(n);
    bodies.erase(bodies.begin(), bodies.begin() + static_cast<std::ptrdiff_t>(n));
    first += n;
    return front;
  }
};

// The runs of a pack as slices; they borrow from what the pack borrows from.
inline std::vector<Slice> slices_of(wire::Pack& pack) {
  std::vector<Slice> slices;
  std::uint64_t from = pack.from;
  for (wire::Run& run : pack.runs) {
    Slice& slice = slices.emplace_back();
    slice.from = from;
    slice.count = run.count;
    slice.signature = run.signature;
    slice.bodies = std::move(run.bodies);
    from += run.count;
  }
  slices.front().first = pack.first;
  slices.front().previous_head = pack.previous_head;
  return slices;
}

}  // namespace rhizome
