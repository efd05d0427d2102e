#include "registry.h"

#include <map>

namespace emulator {

static std::map<std::string, Kernel> &kernels() {
	static std::map<std::string, Kernel> all;
	return all;
}

static std::string family_of(const std::string &file) {
	size_t slash = file.rfind('/');
	std::string base = slash == std::string::npos ? file : file.substr(slash + 1);
	return base.substr(0, base.rfind('.'));
}

Registration::Registration(const char *name, const char *file, void (*run)(void **), std::vector<unsigned> sizes) {
	kernels()[name] = {name, family_of(file), run, std::move(sizes)};
}

const Kernel *find(const std::string &family, const std::string &name) {
	auto found = kernels().find(name);
	if (found == kernels().end() || (!family.empty() && found->second.family != family)) return nullptr;
	return &found->second;
}

bool is_family(const std::string &family) {
	for (auto &k : kernels())
		if (k.second.family == family) return true;
	return false;
}

} // namespace emulator
