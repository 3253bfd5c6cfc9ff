// libFuzzer: reading atoms, which a plugin makes of filters from strangers. The bytes choose paths,
// comparisons, kinds and texts, known ones and others.
#include "match/conditions.hpp"

namespace {

using namespace rhizome;

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : left_(view(data, size)) {}
  std::uint8_t next() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(left_[0]);
    left_.remove_prefix(1);
    return byte;
  }
  ByteView text() {
    const ByteView text = left_.substr(0, next());
    left_.remove_prefix(text.size() < left_.size() ? text.size() : left_.size());
    return text;
  }
  bool empty() const { return left_.empty(); }

 private:
  ByteView left_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const matching::Hasher hasher(1);
  Bytes bytes(data, size);
  matching::AtomsReader reader(hasher, 4096, matching::Texts::kWanted);
  while (!bytes.empty()) {
    std::vector<std::vector<rz_constant>> constants(bytes.next() % 6);
    std::vector<rz_atom> atoms;
    for (auto& list : constants) {
      for (int i = bytes.next() % 8; i > 0; --i)
        list.push_back({bytes.next() % 8u, 0, bytes.next() / 3.0, to_abi(bytes.text())});
      atoms.push_back({bytes.next() % 12u, bytes.next() % 8u, bytes.next() % 4u, 0,
                       to_abi(bytes.text()), list.data(), list.size()});
    }
    if (!reader.take(atoms).ok()) break;
  }
  const matching::Alternatives& found = reader.alternatives();
  for (const matching::Conjunction& conjunction : found.any_of) {
    if (conjunction.empty() && !found.anything) __builtin_trap();
    for (const matching::Condition& condition : conjunction)
      for (const matching::TokenHash token : condition.tokens)
        if ((token & 1) == 0) __builtin_trap();
  }
  return 0;
}
