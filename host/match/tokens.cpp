// Reading a flat delta's tokens; see tokens.hpp.
#include "match/tokens.hpp"

#include "rhizome/use/atoms.hpp"

namespace rhizome::matching {

void DeltaTokens::read(const rz_delta* delta, const Hasher& hasher) {
  tokens.clear();
  numbers.clear();
  timestamp = delta->timestamp;
  const auto at = [delta](std::uint32_t offset, std::uint32_t size) {
    return view(rz_delta_at(delta, offset, size));
  };
  tokens.push_back(hasher.text(Path::kAuthor, at(delta->author_offset, delta->author_size)));
  id = hasher.text(Path::kId, view(delta->id, RZ_DELTA_ID_SIZE));
  tokens.push_back(id);
  for (std::uint32_t i = 0; i < delta->pointer_count; ++i) {
    const rz_pointer& p = *rz_delta_pointer(delta, i);
    const TokenHash role = hasher.text(Path::kRole, at(p.role_offset, p.role_size));
    tokens.push_back(role);
    if ((p.kind == RZ_TARGET_ENTITY || p.kind == RZ_TARGET_DELTA) && p.context_size != 0)
      tokens.push_back(hasher.text(Path::kContext, at(p.context_offset, p.context_size)));
    const ByteView target = at(p.target_offset, p.target_size);
    std::optional<double> number;
    if (p.kind == RZ_TARGET_ENTITY) {
      tokens.push_back(hasher.text(Path::kEntity, target));
    } else if (p.kind == RZ_TARGET_DELTA) {
      tokens.push_back(hasher.text(Path::kReference, target));
    } else if (p.kind == RZ_TARGET_STRING) {
      tokens.push_back(hasher.value(role, target));
      number = use::spelled_number(target);
    } else if (p.kind == RZ_TARGET_BOOLEAN) {
      tokens.push_back(hasher.value(role, p.number != 0));
      number = p.number;
    } else if (p.kind == RZ_TARGET_NUMBER) {
      number = p.number;
    }
    if (!number) continue;
    tokens.push_back(hasher.value(role, *number));
    numbers.push_back({role, *number});
  }
}

}  // namespace rhizome::matching
