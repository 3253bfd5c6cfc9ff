// A resolver that misbehaves in one way, named by its config; "none": it conforms, so that what the
// suite finds is the fault's. It chooses the latest claim. For tests alone.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rhizome/config.hpp"
#include "rhizome/config_check.hpp"
#include "rhizome/resolver.hpp"

namespace {

using namespace rhizome;  // NOLINT(google-build-using-namespace): one file, for tests alone
using plugin::Property;

// Of the first config of this process: the suite opens instances with others too.
std::string fault;       // NOLINT: the table's functions have no other place to look
int open_instances = 0;  // NOLINT
int questions = 0;       // NOLINT: to the resolver that was made last
bool is(const char* name) { return fault == name; }

class LatestFold final : public plugin::Fold {
 public:
  Status add(const rz_candidate& candidate) override {
    if (adds_++ == 0) first_ = std::string(plugin::id_of(candidate));
    asked_ = false;
    claims_[{candidate.timestamp, std::string(plugin::id_of(candidate))}] = view(candidate.json);
    return {};
  }
  Status remove(const rz_candidate& candidate) override {
    asked_ = false;
    claims_.erase({candidate.timestamp, std::string(plugin::id_of(candidate))});
    return {};
  }
  Status value(Value& out) const override {
    if (claims_.empty()) return {};
    out.json = claims_.rbegin()->second;
    out.ids = {claims_.rbegin()->first.second};
    if (is("fold_value") && claims_.size() > 1) out.json = claims_.begin()->second + " ";
    if (is("fold_decided")) out.ids = {first_};
    if (is("fold_asked") && asked_) out.json = "\"asked before\"";
    asked_ = true;
    return {};
  }

 private:
  std::map<std::pair<double, std::string>, std::string> claims_;
  std::string first_;
  int adds_ = 0;
  mutable bool asked_ = false;
};

class Latest final : public plugin::Resolver {
 public:
  plugin::Reads reads() const override {
    plugin::Reads reads;
    if (is("undeclared")) reads.inputs = RZ_INPUT_JSON;
    if (is("local")) reads.inputs |= RZ_INPUT_SEQ;
    if (is("rests_on")) reads.dependencies = {"d"};
    static int described = 0;
    if (is("vouched") || is("named") || is("first_identity")) reads.inputs |= RZ_INPUT_IDENTITIES;
    if (is("describe") && ++described % 2 == 0) reads.inputs |= RZ_INPUT_SIGNATURE;
    return reads;
  }

  Status resolve(const Property& property, plugin::Resolution& out) const override {
    if (property.size() == 0) {
      if (is("empty")) out.json = "null";
      return {};
    }
    const rz_candidate* chosen = &property[0];
    std::set<ByteView> ids;
    for (const rz_candidate& candidate : property) {
      if (is("hostile") && candidate.text.size > 1000) return {Code::kInternal, "too long for me"};
      if (!is("order") && goes_before(candidate, *chosen)) chosen = &candidate;
      ids.insert(plugin::id_of(candidate));
    }
    if (is("twice") && questions == 3) chosen = earliest(property);
    out.choose(*chosen);
    if (is("decides_all")) out.decided_by_all();
    if (is("duplicates")) {
      out.json = std::to_string(property.size());
      out.decided_by_all();
    }
    if (is("decided")) out.json = std::to_string(ids.size());
    if (is("rests_on")) out.json = std::to_string(distinct(property.other("d")));
    if (is("batch") && property.name() != "p1" && property.other("p1").size() != 0)
      out.json = "\"another property\"";
    if (is("json") && chosen->kind == RZ_VALUE_NULL) out.json = "{";
    if (is("kept")) remember(property, out);
    return {};
  }
  Result<std::unique_ptr<plugin::Fold>> fold() const override {
    if (is("none") || fault.starts_with("fold"))
      return std::unique_ptr<plugin::Fold>(new LatestFold);
    return Resolver::fold();
  }

 private:
  static bool goes_before(const rz_candidate& one, const rz_candidate& other) {
    const bool first = is_preferred(one), second = is_preferred(other);
    return first != second ? first : plugin::is_earlier(other, one);
  }
  // By one of the suite's keys; each fault takes others for that key.
  static bool is_preferred(const rz_candidate& candidate) {
    const auto any = [&](auto&& by_the_key) {
      return std::any_of(candidate.identities, candidate.identities + candidate.identity_count,
                         by_the_key);
    };
    if (is("vouched"))
      return any([](const rz_identity& each) { return view(each.key) == std::string(32, 'a'); });
    if (is("named"))
      return any([](const rz_identity& each) {
        return view(each.name) == "ed25519:" + to_hex(std::string(32, 'a'));
      });
    return is("first_identity") && view(candidate.identities->key) >= std::string(32, 'b');
  }
  static const rz_candidate* earliest(const Property& property) {
    const rz_candidate* found = &property[0];
    for (const rz_candidate& candidate : property)
      if (plugin::is_earlier(candidate, *found)) found = &candidate;
    return found;
  }
  static std::size_t distinct(const Property& property) {
    std::set<ByteView> ids;
    for (const rz_candidate& candidate : property) ids.insert(plugin::id_of(candidate));
    return ids.size();
  }
  // Takes what stands at an address that it has seen for what stood there.
  void remember(const Property& property, plugin::Resolution& out) const {
    const void* const at = property[0].json.data;
    if (at == seen_at_ && questions == 2)
      out.json = seen_;
    else
      seen_ = out.json;
    seen_at_ = at;
  }

  mutable const void* seen_at_ = nullptr;
  mutable std::string seen_;
};

class Bad final : public plugin::Resolvers {
 public:
  static Result<std::unique_ptr<plugin::Resolvers>> open(plugin::Host, ByteView config) {
    plugin::ConfigReader reader("bad_resolvers", config);
    std::string given = "none";
    std::uint64_t least = 0, most = 0;
    reader.read("fault", given);
    reader.read("least", 0, 100, least);
    reader.read("most", 0, 100, most);
    RZ_TRY(reader.finish());
    static const std::string first = given;
    fault = first;
    if (least > most) return Status(Code::kInvalid, "least is over most");
    return std::unique_ptr<plugin::Resolvers>(new Bad);
  }
  Bad() { ++open_instances; }
  ~Bad() override { --open_instances; }
  std::vector<std::string> names() const override { return {"bad"}; }
  Result<std::unique_ptr<plugin::Resolver>> create(ByteView name, ByteView options) override {
    if (is("instances") && open_instances > 1)
      return Status(Code::kInternal, "only one instance works");
    if (!is("options")) RZ_TRY(plugin::no_options(name, options));
    return std::unique_ptr<plugin::Resolver>(new Latest);
  }
};

// ---- faults that the wrapper would not let through
const rz_resolver& good() { return *plugin::resolver_table<Bad>(); }

std::int32_t names(void* resolvers, const rz_list_sink* sink, rz_error* error) {
  const std::int32_t code = good().names(resolvers, sink, error);
  return is("sink") ? RZ_OK : code;
}

std::int32_t create(void* resolvers, rz_bytes name, rz_bytes options, void** resolver,
                    rz_error* error) {
  questions = 0;
  return good().create(resolvers, is("unknown_name") ? to_abi("bad") : name, options, resolver,
                       error);
}

// Only the first bit of those that decided.
std::int32_t first_bit(void* context, std::uint64_t index, rz_bytes value,
                       const std::uint64_t* decided, std::uint64_t words) {
  const auto* sink = static_cast<const rz_resolution_sink*>(context);
  std::vector<std::uint64_t> bits(decided, decided + words);
  bool any = false;
  for (std::uint64_t& word : bits) {
    word = any ? 0 : word & (~word + 1);
    any = any || word != 0;
  }
  return sink->resolved(sink->context, index, value, bits.data(), words);
}

std::int32_t resolve(void* resolver, const rz_property* properties, std::uint64_t count,
                     std::uint64_t stride, const rz_resolution_sink* sink, rz_error* error) {
  std::vector<rz_property> copies;
  for (std::uint64_t i = 0; i < count; ++i) {
    copies.push_back(*reinterpret_cast<const rz_property*>(
        reinterpret_cast<const char*>(properties) + i * stride));
    // As if nothing stood behind the first one that has its own size.
    if (is("stride") && copies.back().candidate_stride != sizeof(rz_candidate))
      copies.back().count = std::min<std::uint64_t>(copies.back().count, 1);
  }
  rz_resolution_sink own = *sink;
  if (is("duplicate_bits"))
    own = {const_cast<rz_resolution_sink*>(sink), first_bit, sink->rests_on};
  ++questions;
  return good().resolve(resolver, copies.data(), count, sizeof(rz_property), &own, error);
}

std::int32_t fold_value(void* state, const rz_sink* sink, const rz_list_sink* decided,
                        rz_error* error) {
  const std::int32_t code = plugin::resolver_fold_table()->value(state, sink, decided, error);
  return is("fold_sink") ? RZ_OK : code;
}

void check(ByteView config, plugin::ConfigProblems& problems) {
  plugin::ConfigReader reader("bad_resolvers", config);
  std::uint64_t least = 0, most = 0;
  reader.read("least", 0, 100, least);
  reader.read("most", 0, 100, most);
  static int checks = 0;
  ++checks;
  if (is("config_own")) problems.add("", "another config", "this one");
  if (least <= most || is("config_open")) return;
  problems.add(is("config_place") ? "least" : "/least", "at most `most`", std::to_string(least));
  if (is("config_again") && checks % 4 == 0)
    problems.add("/most", "another moment", "a fourth one");
}

std::int32_t check_config(rz_bytes config, const rz_config_problems* problems, rz_error* error) {
  const std::int32_t code = plugin::config_table<check>()->check(config, problems, error);
  return is("config_sink") ? RZ_OK : code;
}

const rz_config* config_table() {
  static constexpr rz_config kTable{check_config};
  return &kTable;
}

const rz_resolver* table() {
  static const rz_resolver made = [] {
    rz_resolver table = good();
    table.names = names;
    table.create = create;
    table.resolve = resolve;
    return table;
  }();
  return &made;
}
const rz_resolver_fold* fold_table() {
  static const rz_resolver_fold made = [] {
    rz_resolver_fold table = *plugin::resolver_fold_table();
    table.value = fold_value;
    return table;
  }();
  return &made;
}

}  // namespace

RHIZOME_PLUGIN({RZ_RESOLVER_ID, table()}, {RZ_RESOLVER_FOLD_ID, fold_table()},
               {RZ_CONFIG_ID, config_table()})
