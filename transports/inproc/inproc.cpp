// rhizome.inproc: the transport of tests and simulations, and the table by which a test cuts its
// network.
#include "inproc/transport.hpp"

namespace rhizome::inproc {
namespace {

Network& named(rz_bytes name) { return Network::of(std::string(view(name))); }

constexpr rz_inproc_control kControl = {
    [](rz_bytes network, rz_bytes from, rz_bytes to) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).cut(std::string(view(from)), std::string(view(to)));
        return RZ_OK;
      });
    },
    [](rz_bytes network, rz_bytes from, rz_bytes to) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).heal(std::string(view(from)), std::string(view(to)));
        return RZ_OK;
      });
    },
    [](rz_bytes network) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        named(network).heal_all();
        return RZ_OK;
      });
    },
    [](rz_bytes network, rz_bytes address, double loss) {
      return plugin::guard(
          nullptr, [&] { return named(network).set_loss(std::string(view(address)), loss); });
    },
    [](rz_bytes network, rz_inproc_counts* counts) {
      return plugin::guard(nullptr, [&]() -> std::int32_t {
        *counts = named(network).counts();
        return RZ_OK;
      });
    }};

}  // namespace
}  // namespace rhizome::inproc

RHIZOME_PLUGIN({RZ_TRANSPORT_ID,
                rhizome::plugin::transport_table<rhizome::inproc::InprocTransport>()},
               {RZ_INPROC_CONTROL_ID, &rhizome::inproc::kControl})
