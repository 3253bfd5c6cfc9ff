// Loading, chance and random deltas; see harness.hpp.
#include "harness.hpp"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>
#include <fstream>

#include "rhizome/delta/codec.hpp"

namespace rhizome::conformance {

Subject& subject() {
  static Subject instance;
  return instance;
}

std::string load_plugin(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) return path + ": no such file";
  void* library = dlopen(resolved, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return path + ": exports no " + RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR) return path + ": built for another ABI major";
  static const rz_host host{nullptr, [](void*, const char*) -> const void* { return nullptr; }};
  rz_error error{};
  if (plugin->init(&host, &error) != RZ_OK) return path + ": init: " + error.message;
  subject().table = static_cast<const rz_filter*>(plugin->get_interface(RZ_FILTER_ID));
  subject().many = static_cast<const rz_filter_many*>(plugin->get_interface(RZ_FILTER_MANY_ID));
  subject().eval = static_cast<const rz_filter_eval*>(plugin->get_interface(RZ_FILTER_EVAL_ID));
  if (subject().table == nullptr) return path + ": has no " + RZ_FILTER_ID;
  return plugin->get_interface("no.such/1") == nullptr ? "" : path + ": answers an unknown id";
}

std::string load_rules(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) subject().rules.push_back(line);
  return subject().rules.empty() ? path + ": no rules in it" : "";
}

Chance::Chance() {
  const char* given = std::getenv("RHIZOME_SEED");
  seed_ = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  random_.seed(seed_);
}

DeltaBatch random_deltas(Chance& chance, std::size_t count) {
  static constexpr ByteView kAuthors[] = {"alice", "bob", "carol"};
  static constexpr ByteView kRoles[] = {"name", "population", "of", "negates"};
  static constexpr ByteView kEntities[] = {"de", "fr", "de/by"};
  static constexpr ByteView kContexts[] = {"", "name", "member"};
  static constexpr ByteView kTexts[] = {"Germany", "France", "5", "", "abc"};
  const std::string reference = DeltaId::of_claims("some delta").hex();
  DeltaBatch batch;
  while (batch.size() < count) {
    std::vector<Pointer> pointers;
    for (std::uint64_t i = 1 + chance.below(4); i > 0; --i) {
      Target target = 0.0;
      switch (chance.below(6)) {
        case 0:
          target = chance.of(kTexts);
          break;
        case 1:
          target = static_cast<double>(chance.below(8)) - 1;
          break;
        case 2:
          target = chance.one_in(2);
          break;
        case 3:
          target = EntityRef{chance.of(kEntities), chance.of(kContexts)};
          break;
        case 4:
          target = DeltaRef{reference, chance.of(kContexts)};
          break;
        default:
          target = BytesTarget{"image/png", chance.of(kTexts)};
      }
      pointers.push_back({chance.of(kRoles), target});
    }
    std::string claims;
    const double timestamp = static_cast<double>(chance.below(6));
    const Status made = encode_claims(chance.of(kAuthors), timestamp, pointers, claims);
    if (!made.ok() || decode_claims(claims, batch) != DecodeError::kNone) std::abort();
  }
  return batch;
}

std::vector<const rz_delta*> pointers_to(const DeltaBatch& deltas) {
  std::vector<const rz_delta*> pointers;
  for (std::size_t i = 0; i < deltas.size(); ++i) pointers.push_back(deltas.block(i));
  return pointers;
}

Matches match(const use::Filter& filter, const std::vector<const rz_delta*>& deltas) {
  Matches found;
  found.status = filter.match(deltas, found.bitmap, found.errors);
  return found;
}

}  // namespace rhizome::conformance
