// Encoding and decoding of packs.
#include "wire/pack.hpp"

#include "wire/body.hpp"

namespace rhizome::wire {

namespace {

constexpr std::uint64_t kMostNumbers = std::uint64_t{1} << 48;  // as the journal's keys have room
constexpr std::uint64_t kMostEpochs = std::uint64_t{1} << 32;
// What a frame can hold of runs at the least size of one.
constexpr std::size_t kMaxRuns = 65536;

void read_bodies(Reader& reader, std::vector<Body>& bodies) {
  const std::uint64_t items = reader.array(kBodyItems * kStatementMaxIds);
  if (items % kBodyItems != 0 || items == 0) reader.fail();
  for (std::uint64_t i = 0; i < items / kBodyItems && reader.ok(); ++i) {
    const Body& body = bodies.emplace_back(read_body(reader));
    const std::size_t size = body.signature.size();
    const bool fits = body.claims.empty() ? size == kWithheldSize
                                          : size == 0 || size == std::tuple_size_v<Signature>;
    if (!fits) reader.fail();
  }
}

}  // namespace

std::string encode(const Pack& pack) {
  std::size_t size = 256;
  for (const Run& run : pack.runs) {
    size += 80;
    for (const Body& body : run.bodies) size += body.claims.size() + body.signature.size() + 8;
  }
  std::string out;
  out.reserve(size);
  put_array(6, out);
  put_fixed(pack.origin, out);
  put_uint(pack.epoch, out);
  put_uint(pack.from, out);
  put_fixed(pack.previous_head, out);
  put_uint(pack.first, out);
  put_array(3 * pack.runs.size(), out);
  for (const Run& run : pack.runs) {
    put_uint(run.count, out);
    cbor_append_bytes(run.signature, out);
    put_array(kBodyItems * run.bodies.size(), out);
    for (const Body& body : run.bodies) put_body(body, out);
  }
  return out;
}

Result<Pack> decode_pack(ByteView body) {
  Reader reader(body);
  reader.array_of(6);
  Pack pack;
  pack.origin = reader.fixed<NodeKey>();
  pack.epoch = reader.uint();
  pack.from = reader.uint();
  pack.previous_head = reader.fixed<Hash256>();
  pack.first = reader.uint();
  const std::uint64_t items = reader.array(3 * kMaxRuns);
  if (items % 3 != 0 || items == 0) reader.fail();
  if (pack.from == 0 || pack.from >= kMostNumbers || pack.epoch >= kMostEpochs ||
      pack.first >= kStatementMaxIds)
    reader.fail();
  std::uint64_t next = pack.from;  // where the next run's statement begins
  std::uint64_t first = pack.first;
  for (std::uint64_t i = 0; i < items / 3 && reader.ok(); ++i) {
    Run& run = pack.runs.emplace_back();
    run.count = reader.uint();
    run.signature = reader.bytes();
    if (run.count == 0 || run.count > kStatementMaxIds ||
        run.signature.size() != std::tuple_size_v<Signature>)
      reader.fail();
    read_bodies(reader, run.bodies);
    const std::uint64_t end = first + run.bodies.size();
    const bool is_last = i + 1 == items / 3;
    if (end > run.count || (end < run.count && !is_last)) reader.fail();
    next += run.count;
    first = 0;
  }
  if (!reader.done() || next > kMostNumbers) return malformed("pack");
  return pack;
}

DeltaId withheld_id(const Body& body) {
  DeltaId id;
  id.bytes[0] = 0x1e;
  id.bytes[1] = 0x20;
  std::memcpy(id.bytes.data() + 2, body.signature.data(), kWithheldSize);
  return id;
}

std::string encode_fetched(std::uint64_t next) {
  std::string out;
  put_array(1, out);
  put_uint(next, out);
  return out;
}

Result<std::uint64_t> decode_fetched(ByteView body) {
  Reader reader(body);
  reader.array_of(1);
  const std::uint64_t next = reader.uint();
  if (!reader.done()) return malformed("end of a fetch");
  return next;
}

}  // namespace rhizome::wire
