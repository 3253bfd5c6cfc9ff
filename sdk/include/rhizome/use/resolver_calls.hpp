// The functions of rhizome/use/resolver.hpp, which includes this; not to be included otherwise.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace rhizome::use {

namespace resolver_detail {

// Takes the items of a list up to a bound; RZ_LIMIT behind it.
struct List {
  std::size_t most;
  std::vector<std::string> items;
  static std::int32_t take(void* context, rz_bytes item) {
    auto& list = *static_cast<List*>(context);
    if (list.items.size() == list.most) return RZ_LIMIT;
    list.items.emplace_back(view(item));
    return RZ_OK;
  }
};

inline bool is_name(ByteView name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= RZ_RESOLVER_MAX_NAME &&
         std::all_of(name.begin(), name.end(), fits);
}

inline Status broken(const std::string& what) {
  return {Code::kInternal, "the resolver plugin is faulty: " + what};
}

// Takes the answers of one call and checks them.
struct Answers {
  std::span<const rz_property> properties;
  std::vector<Resolution> answers;
  std::vector<bool> answered;
  Status fault;

  bool is_wanted(std::uint64_t i) const {
    return i < properties.size() && properties[static_cast<std::size_t>(i)].wanted != 0;
  }
  // Copies the bits; false where they are not of that many candidates.
  static bool take(const std::uint64_t* words, std::uint64_t size, std::uint64_t count,
                   Decided& out) {
    if (size == 0) return true;
    if (words == nullptr || size != (count + 63) / 64) return false;
    out.words.assign(words, words + size);
    return count % 64 == 0 || out.words.back() >> count % 64 == 0;
  }
  std::int32_t refuse(const std::string& what) {
    fault = broken(what);
    return RZ_INTERNAL;
  }

  static std::int32_t resolved(void* context, std::uint64_t index, rz_bytes value,
                               const std::uint64_t* decided, std::uint64_t words) {
    auto& self = *static_cast<Answers*>(context);
    if (!self.is_wanted(index) || self.answered[static_cast<std::size_t>(index)])
      return self.refuse("it answered property " + std::to_string(index) +
                         ", which is not wanted or was answered before");
    if (value.size > RZ_RESOLVER_MAX_VALUE)
      return self.refuse("a value of " + std::to_string(value.size) + " bytes; at most 16 MiB");
    const auto i = static_cast<std::size_t>(index);
    Resolution& answer = self.answers[i];
    if (!take(decided, words, self.properties[i].count, answer.decided))
      return self.refuse("the candidates that decided are not those of the property");
    if (value.size != 0) answer.json.emplace(view(value));
    self.answered[i] = true;
    return RZ_OK;
  }
  static std::int32_t rests_on(void* context, std::uint64_t index, std::uint64_t other,
                               const std::uint64_t* decided, std::uint64_t words) {
    auto& self = *static_cast<Answers*>(context);
    Decided bits;
    if (!self.is_wanted(index) || other >= self.properties.size() || other == index ||
        view(self.properties[static_cast<std::size_t>(other)].entity) !=
            view(self.properties[static_cast<std::size_t>(index)].entity) ||
        !take(decided, words, self.properties[static_cast<std::size_t>(other)].count, bits))
      return self.refuse("a value rests on a property that it was not given");
    auto& list = self.answers[static_cast<std::size_t>(index)].rests_on;
    if (list.size() == RZ_RESOLVER_MAX_DEPENDENCIES)
      return self.refuse("a value rests on over 16 properties");
    list.emplace_back(static_cast<std::size_t>(other), std::move(bits));
    return RZ_OK;
  }
};

}  // namespace resolver_detail

inline Result<Resolvers> Resolvers::open(const ResolverTables& tables, InstanceHostPtr host,
                                         ByteView config_json) {
  rz_error error{};
  void* handle = nullptr;
  const std::int32_t code =
      tables.resolver->open(host->table(), to_abi(config_json), &handle, &error);
  RZ_TRY(opened(code, error, host.get()));
  Resolvers made;
  made.instance_ = std::make_shared<const Instance>(tables, std::move(host), handle);
  return made;
}

inline Result<std::vector<std::string>> Resolvers::names() const {
  resolver_detail::List list{RZ_RESOLVER_MAX_NAMES, {}};
  const rz_list_sink sink{&list, resolver_detail::List::take};
  rz_error error{};
  const std::int32_t code = tables().resolver->names(handle(), &sink, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  std::sort(list.items.begin(), list.items.end());
  const bool repeats = std::adjacent_find(list.items.begin(), list.items.end()) != list.items.end();
  if (list.items.empty() || repeats ||
      !std::all_of(list.items.begin(), list.items.end(), resolver_detail::is_name))
    return Status(Code::kInvalid,
                  "the resolver plugin is faulty: expected 1 to 256 different names of a-z, 0-9, "
                  "'-' and '.', at most 64 bytes each");
  return std::move(list.items);
}

inline Result<Resolver> Resolver::create(const Resolvers& resolvers, ByteView name,
                                         ByteView options) {
  if (options.size() > RZ_RESOLVER_MAX_OPTIONS)
    return Status(Code::kLimit, "resolver options: expected at most 65536 bytes, found " +
                                    std::to_string(options.size()));
  rz_error error{};
  void* handle = nullptr;
  const std::int32_t code = resolvers.tables().resolver->create(resolvers.handle(), to_abi(name),
                                                                to_abi(options), &handle, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  Resolver made(resolvers, handle);
  RZ_TRY(made.describe());
  return made;
}

inline Status Resolver::describe() {
  resolver_detail::List list{RZ_RESOLVER_MAX_DEPENDENCIES, {}};
  const rz_list_sink sink{&list, resolver_detail::List::take};
  rz_error error{};
  const std::int32_t code =
      resolvers_.tables().resolver->describe(handle_, &inputs_, &sink, &error);
  if (code != RZ_OK) return Status::from_abi(code, error);
  dependencies_ = std::move(list.items);
  return {};
}

inline Result<std::vector<Resolution>> Resolver::resolve(
    std::span<const rz_property> properties) const {
  resolver_detail::Answers taken{properties,
                                 std::vector<Resolution>(properties.size()),
                                 std::vector<bool>(properties.size()),
                                 {}};
  const rz_resolution_sink sink{&taken, resolver_detail::Answers::resolved,
                                resolver_detail::Answers::rests_on};
  rz_error error{};
  const std::int32_t code = resolvers_.tables().resolver->resolve(
      handle_, properties.data(), properties.size(), sizeof(rz_property), &sink, &error);
  if (!taken.fault.ok()) return std::move(taken.fault);
  if (code != RZ_OK) return Status::from_abi(code, error);
  for (std::size_t i = 0; i < properties.size(); ++i)
    if (properties[i].wanted != 0 && !taken.answered[i])
      return resolver_detail::broken("property " + std::to_string(i) + " got no answer");
  return std::move(taken.answers);
}

}  // namespace rhizome::use
