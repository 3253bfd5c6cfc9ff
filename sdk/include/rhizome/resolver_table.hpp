// The trampolines behind rhizome/resolver.hpp, which includes this; not to be included otherwise.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rhizome::plugin {

// One call of `resolve`: the caller's properties, and its sink.
struct ResolveCall {
  const rz_property* properties;
  std::size_t count, stride;
  const rz_resolution_sink* sink;

  const rz_property& at(std::size_t i) const {
    return *reinterpret_cast<const rz_property*>(reinterpret_cast<const char*>(properties) +
                                                 i * stride);
  }
  Property property(std::size_t i) const { return {&at(i), this, i}; }

  // The properties of one entity stand together: looks both ways from `index`.
  Property other(std::size_t index, ByteView name) const {
    static constexpr rz_property kNone{};
    const ByteView entity = view(at(index).entity);
    std::size_t first = index;
    while (first > 0 && view(at(first - 1).entity) == entity) --first;
    for (std::size_t i = first; i < count && view(at(i).entity) == entity; ++i)
      if (view(at(i).name) == name) return property(i);
    return {&kNone, this, index};
  }

  // The bits of those candidates of the property that `decided` points at, and of their duplicates;
  // where there are none: an empty vector.
  static std::vector<std::uint64_t> bits_of(const Property& property,
                                            const std::vector<const rz_candidate*>& decided) {
    if (property.size() == 0) return {};
    std::vector<ByteView> ids;
    for (const rz_candidate* candidate : decided)
      if (candidate >= &property[0] && candidate <= &property[property.size() - 1])
        ids.push_back(id_of(*candidate));
    if (ids.empty()) return {};
    std::sort(ids.begin(), ids.end());
    std::vector<std::uint64_t> bits((property.size() + 63) / 64);
    for (std::size_t i = 0; i < property.size(); ++i)
      if (std::binary_search(ids.begin(), ids.end(), id_of(property[i])))
        bits[i / 64] |= std::uint64_t{1} << (i % 64);
    return bits;
  }
  static std::vector<std::uint64_t> all_bits(std::size_t size) {
    std::vector<std::uint64_t> bits((size + 63) / 64, ~std::uint64_t{0});
    if (size % 64 != 0) bits.back() = (std::uint64_t{1} << (size % 64)) - 1;
    return bits;
  }

  std::int32_t answer(std::size_t index, const Reads& reads, const Resolution& out) const {
    const Property own = property(index);
    for (const std::string& name : reads.dependencies) {
      const Property from = other(index, name);
      const std::vector<std::uint64_t> bits = bits_of(from, out.decided_);
      if (bits.empty() || from.index_ == index) continue;
      const std::int32_t code =
          sink->rests_on(sink->context, index, from.index_, bits.data(), bits.size());
      if (code != RZ_OK) return code;
    }
    const std::vector<std::uint64_t> bits =
        out.all_ ? all_bits(own.size()) : bits_of(own, out.decided_);
    return sink->resolved(sink->context, index, rhizome::to_abi(out.json), bits.data(),
                          bits.size());
  }
};

inline Property Property::other(ByteView name) const { return call_->other(index_, name); }

namespace resolver_detail {

template <typename T>
Status hand_over(Result<std::unique_ptr<T>> made, void** handle) {
  *handle = nullptr;
  if (!made.ok()) return std::move(made).status();
  *handle = made->release();
  return {};
}

inline Status unknown(ByteView name, const std::vector<std::string>& known) {
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  return {Code::kNotFound, "resolver '" + std::string(name.substr(0, RZ_RESOLVER_MAX_NAME)) +
                               "' is unknown; known: " + list};
}

inline std::int32_t create(void* handle, rz_bytes given_name, rz_bytes given_options,
                           void** resolver, rz_error* error) {
  return guard(error, [&]() -> Status {
    *resolver = nullptr;
    Resolvers& resolvers = *static_cast<Resolvers*>(handle);
    const ByteView name = view(given_name), options = view(given_options);
    const std::vector<std::string> known = resolvers.names();
    if (std::find(known.begin(), known.end(), name) == known.end()) return unknown(name, known);
    if (options.size() > RZ_RESOLVER_MAX_OPTIONS)
      return {Code::kLimit, "resolver " + std::string(name) + ": options of " +
                                std::to_string(options.size()) + " bytes; at most 65536"};
    return hand_over(resolvers.create(name, options.empty() ? "{}" : options), resolver);
  });
}

inline std::int32_t resolve(void* resolver, const rz_property* properties, std::uint64_t count,
                            std::uint64_t stride, const rz_resolution_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    const auto& self = *static_cast<const Resolver*>(resolver);
    const ResolveCall call{properties, static_cast<std::size_t>(count),
                           static_cast<std::size_t>(stride), sink};
    const Reads reads = self.reads();
    for (std::size_t i = 0; i < call.count; ++i) {
      if (call.at(i).wanted == 0) continue;
      Resolution out;
      Status status = self.resolve(call.property(i), out);
      if (status.ok() && out.json.size() > RZ_RESOLVER_MAX_VALUE)
        status = Status(Code::kLimit,
                        "a value of " + std::to_string(out.json.size()) + " bytes; at most 16 MiB");
      if (!status.ok()) return to_abi(status, error);
      const std::int32_t code = call.answer(i, reads, out);
      if (code != RZ_OK) return code;
    }
    return RZ_OK;
  });
}

}  // namespace resolver_detail

template <typename T>
const rz_resolver* resolver_table() {
  namespace d = resolver_detail;
  static constexpr rz_resolver kTable = {
      [](const rz_host* host, rz_bytes config, void** resolvers, rz_error* error) {
        return guard(error, [&] {
          return d::hand_over<Resolvers>(T::open(Host(host), view(config)), resolvers);
        });
      },
      [](void* resolvers) { delete static_cast<Resolvers*>(resolvers); },
      [](void* resolvers, const rz_list_sink* sink, rz_error* error) {
        return guard(error, [&]() -> std::int32_t {
          for (const std::string& name : static_cast<const Resolvers*>(resolvers)->names()) {
            const std::int32_t code = sink->item(sink->context, rhizome::to_abi(name));
            if (code != RZ_OK) return code;
          }
          return RZ_OK;
        });
      },
      d::create,
      [](void* resolver) { delete static_cast<Resolver*>(resolver); },
      [](void* resolver, std::uint64_t* inputs, const rz_list_sink* dependencies, rz_error* error) {
        return guard(error, [&]() -> std::int32_t {
          const Reads reads = static_cast<const Resolver*>(resolver)->reads();
          *inputs = reads.inputs;
          for (const std::string& name : reads.dependencies) {
            const std::int32_t code =
                dependencies->item(dependencies->context, rhizome::to_abi(name));
            if (code != RZ_OK) return code;
          }
          return RZ_OK;
        });
      },
      d::resolve};
  return &kTable;
}

}  // namespace rhizome::plugin
