// Loading the plugin with its manifest, and asking it.
#include "harness.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <ostream>

namespace rhizome::conformance {

namespace {

// The manifest's note in the segments of the library that was loaded from `path`.
struct Note {
  const char* path;
  std::string manifest;

  static int look(dl_phdr_info* info, std::size_t, void* context) {
    auto& self = *static_cast<Note*>(context);
    if (std::strcmp(info->dlpi_name, self.path) != 0) return 0;
    for (std::size_t i = 0; i < info->dlpi_phnum; ++i)
      if (info->dlpi_phdr[i].p_type == PT_NOTE)
        self.read(reinterpret_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
                  info->dlpi_phdr[i].p_memsz);
    return 1;
  }
  void read(const char* at, std::size_t size) {
    const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
    while (size >= sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) head;
      std::memcpy(&head, at, sizeof head);
      const std::size_t whole = sizeof head + padded(head.n_namesz) + padded(head.n_descsz);
      if (whole > size) return;
      const char* const name = at + sizeof head;
      if (head.n_type == RZ_NOTE_TYPE && head.n_namesz == sizeof RZ_NOTE_OWNER &&
          std::memcmp(name, RZ_NOTE_OWNER, sizeof RZ_NOTE_OWNER) == 0)
        manifest.assign(name + padded(head.n_namesz), head.n_descsz);
      at += whole;
      size -= whole;
    }
  }
};

use::Resolvers open() {
  auto opened =
      use::Resolvers::open(subject().tables, std::make_shared<use::BareHost>(), subject().config);
  if (!opened.ok()) {
    ADD_FAILURE() << "open: " << opened.status().to_string();
    std::exit(1);
  }
  return *opened;
}

std::uint64_t draw_seed() {
  const char* given = std::getenv("RHIZOME_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

}  // namespace

Subject& subject() {
  static Subject the_subject;
  return the_subject;
}

std::string load(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return dlerror();
  const auto* plugin = static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  if (plugin == nullptr) return "it does not export " RZ_PLUGIN_SYMBOL;
  if (plugin->abi_major != RZ_ABI_MAJOR) return "it is built for another ABI major";
  if (plugin->get_interface("rhizome.no.such/1") != nullptr)
    return "it answers an interface that does not exist";
  subject().tables = {
      static_cast<const rz_resolver*>(plugin->get_interface(RZ_RESOLVER_ID)),
      static_cast<const rz_resolver_fold*>(plugin->get_interface(RZ_RESOLVER_FOLD_ID))};
  if (subject().tables.resolver == nullptr) return "it has no " RZ_RESOLVER_ID;
  Note note{path.c_str(), {}};
  dl_iterate_phdr(Note::look, &note);
  const nlohmann::json manifest = nlohmann::json::parse(note.manifest, nullptr, false);
  if (!manifest.is_object()) return "it has no manifest";
  const nlohmann::json list = manifest.value("capabilities", nlohmann::json::array());
  subject().is_deterministic = std::find(list.begin(), list.end(), "deterministic") != list.end();
  return "";
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  out << answer.value;
  for (const auto& [name, ids] : answer.decided) {
    out << " " << name << ":";
    for (const std::string& id : ids) out << " " << to_hex(ByteView(id).substr(30));
  }
  return out;
}

Resolver::Resolver() : resolvers_(open()), seed_(draw_seed()) { random_.seed(seed_); }

Resolver::~Resolver() {
  if (HasFailure())
    std::fprintf(stderr, "RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed_));
}

std::vector<Choice> Resolver::choices() const {
  const Result<std::vector<std::string>> names = resolvers_.names();
  EXPECT_TRUE(names.ok()) << names.status().to_string();
  std::vector<Choice> found;
  if (names.ok())
    for (const std::string& name : *names) found.push_back({name, ""});
  for (const auto& [name, options] : subject().options) found.push_back({name, options});
  return found;
}

use::Resolver Resolver::make(const Choice& choice) const {
  auto made = use::Resolver::create(resolvers_, choice.name, choice.options);
  if (!made.ok()) {
    ADD_FAILURE() << choice.name << " " << choice.options << ": " << made.status().to_string();
    std::exit(1);
  }
  return std::move(*made);
}

Answer Resolver::ask(const use::Resolver& resolver, const Set& set) {
  return ask(resolver, set, resolver.inputs());
}

Answer Resolver::ask(const use::Resolver& resolver, const Set& set, std::uint64_t inputs) {
  Call call(inputs);
  call.add(set);
  const auto answers = resolver.resolve({call.properties(), call.count()});
  EXPECT_TRUE(answers.ok()) << answers.status().to_string();
  if (!answers.ok()) return {answers.status().to_string(), {}};
  const use::Resolution& own = answers->at(0);
  Answer answer{own.json.value_or("no value"), {}};
  const auto take = [&](std::size_t property, const use::Decided& decided) {
    for (std::size_t i = 0; i < call.claims(property).size(); ++i)
      if (decided.has(i)) answer.decided[call.name(property)].insert(call.claims(property)[i].id);
  };
  take(0, own.decided);
  for (const auto& [other, decided] : own.rests_on) take(other, decided);
  return answer;
}

}  // namespace rhizome::conformance
