// The names of the standard resolvers, their options, and the exported symbol. The host calls them
// on any thread.
#include <string>
#include <vector>

#include "resolvers.hpp"

namespace rhizome::standard {

namespace {

// {"count": N} of most-recent.
Result<std::size_t> count_of(ByteView options) {
  std::uint64_t count = 10;
  plugin::ConfigReader reader("resolver most-recent", options);
  reader.read("count", 1, 1000, count);
  RZ_TRY(reader.finish());
  return static_cast<std::size_t>(count);
}

class Standard final : public plugin::Resolvers {
 public:
  static Result<std::unique_ptr<plugin::Resolvers>> open(plugin::Host, ByteView) {
    return std::unique_ptr<plugin::Resolvers>(new Standard);
  }
  std::vector<std::string> names() const override {
    return {"last-write-wins", "first-write", "all", "most-recent", "max", "min", "sum", "average"};
  }
  Result<std::unique_ptr<plugin::Resolver>> create(ByteView name, ByteView options) override {
    if (name == "most-recent") {
      const Result<std::size_t> count = count_of(options);
      if (!count.ok()) return count.status();
      return make_list(*count);
    }
    RZ_TRY(plugin::no_options(name, options));
    if (name == "all") return make_list(0);
    if (name == "sum") return make_total(Total::kSum);
    if (name == "average") return make_total(Total::kAverage);
    return make_choice(name == "first-write" ? Choice::kFirstWrite
                       : name == "max"       ? Choice::kMax
                       : name == "min"       ? Choice::kMin
                                             : Choice::kLastWrite);
  }
};

}  // namespace

}  // namespace rhizome::standard

RHIZOME_PLUGIN({RZ_RESOLVER_ID, rhizome::plugin::resolver_table<rhizome::standard::Standard>()},
               {RZ_RESOLVER_FOLD_ID, rhizome::plugin::resolver_fold_table()})
