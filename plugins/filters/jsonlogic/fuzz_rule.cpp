// libFuzzer: a rule and the data after it, evaluated; and the rule as a filter over one delta.
// Whatever the bytes are, the answer comes in the budget and without a fault.
#include <cstdint>
#include <string>

#include "language.hpp"
#include "rhizome/delta/codec.hpp"
#include "rhizome/use/atoms.hpp"

using rhizome::jsonlogic::Language;

namespace {

const rhizome::DeltaBatch& delta() {
  static const rhizome::DeltaBatch batch = [] {
    rhizome::DeltaBatch made;
    std::string claims;
    const std::string other = rhizome::DeltaId::of_claims("other").hex();
    const std::vector<rhizome::Pointer> pointers = {
        {"of", rhizome::EntityRef{"de", "name"}},
        {"name", rhizome::ByteView("Germany")},
        {"value", 5.0},
        {"flag", rhizome::BytesTarget{"image/png", "\x01\xff"}},
        {"negates", rhizome::DeltaRef{other}}};
    if (!rhizome::encode_claims("alice", 5, pointers, claims).ok()) __builtin_trap();
    if (rhizome::decode_claims(claims, made) != rhizome::DecodeError::kNone) __builtin_trap();
    return made;
  }();
  return batch;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const rhizome::ByteView bytes = rhizome::view(data, size);
  const std::size_t end = bytes.find('\n');  // rule, newline, data
  const rhizome::ByteView rule = bytes.substr(0, end);
  const rhizome::ByteView rest = end == rhizome::ByteView::npos ? "null" : bytes.substr(end + 1);
  const rz_filter_budget budget{2000, 65536};
  const auto opened = Language::open(rhizome::plugin::Host(), "{}");
  const auto& language = static_cast<const Language&>(**opened);
  std::string json;
  bool thrown = false;
  if (const auto prepared = language.prepare(rule, budget); prepared.ok())
    (void)(*prepared)->eval(rest, json, thrown);

  const auto filter = language.compile(rule, budget);
  if (!filter.ok()) return 0;
  const rz_delta* const one = delta().block(0);
  std::uint64_t bitmap = 0;
  rz_filter_counts counts{};
  if (!(*filter)->match({&one, 1}, &bitmap, counts).ok()) __builtin_trap();
  bool satisfied = false;
  const rz_atoms_sink sink{&satisfied,
                           [](void* context, const rz_atom* atoms, std::uint64_t count) {
                             const rhizome::DeltaView view = delta()[0];
                             bool all = true;
                             for (std::uint64_t i = 0; i < count; ++i)
                               all = all && rhizome::use::satisfies(view, atoms[i]);
                             *static_cast<bool*>(context) |= all;
                             return std::int32_t{RZ_OK};
                           }};
  const rhizome::Status given = (*filter)->atoms(rhizome::plugin::FilterAtoms(&sink));
  if (bitmap != 0 && given.ok() && !satisfied) __builtin_trap();
  std::string plain;
  if (!(*filter)->to_json_logic(plain).ok()) __builtin_trap();
  // What travels is a rule again, and travels as itself.
  if (plain.size() > rhizome::jsonlogic::kMaxSource) return 0;
  const auto again = language.compile(plain, budget);
  std::string twice;
  if (again.ok() && (!(*again)->to_json_logic(twice).ok() || twice != plain)) __builtin_trap();
  return 0;
}
