// Stan's density, gradient and sampler of one model, as a program: no Python runs while it is timed.
#include MODEL
#include <chrono>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <stan/callbacks/stream_writer.hpp>
#include <stan/io/json/json_data.hpp>
#include <stan/services/sample/hmc_nuts_diag_e_adapt.hpp>
#include <stan/services/util/create_unit_e_diag_inv_metric.hpp>

using Numbers = std::vector<double>;

double gradient(const stan::model::model_base &model, Numbers &x, Numbers &slope) {
  static std::vector<int> none;
  return stan::model::log_prob_grad<true, true>(model, x, none, slope, nullptr);
}

// DATA points FILE            value and slopes at each line of FILE
// DATA time FILE SECONDS      least mean microseconds of a gradient over five bursts
// DATA sample SEED CHAIN STEPS ACCEPT FIRST FILE   so many steps to adapt and as many draws from FIRST, to FILE
int main(int, char **given) {
  std::ifstream source(given[1]);
  stan::json::json_data data(source);
  auto &model = new_model(data, 1, nullptr);
  const std::string wanted = given[2];
  std::cout << std::setprecision(17);
  if (wanted == "sample") {
    std::ifstream begun(given[7]);
    stan::json::json_data first(begun);
    std::ofstream file(given[8]);
    file << std::setprecision(17);
    stan::callbacks::stream_writer draws(file, "# ");
    stan::callbacks::writer silent;
    stan::callbacks::structured_writer metric;
    stan::callbacks::interrupt never;
    stan::callbacks::logger quiet;
    auto unit = stan::services::util::create_unit_e_diag_inv_metric(model.num_params_r());
    const int steps = std::stoi(given[5]);
    return stan::services::sample::hmc_nuts_diag_e_adapt(
        model, first, unit, std::stoi(given[3]), std::stoi(given[4]), 2.0, steps, steps, 1, false, 0, 1.0,
        0.0, 10, std::stod(given[6]), 0.05, 0.75, 10.0, 75, 50, 25, never, quiet, silent, draws, silent, metric);
  }
  std::ifstream points(given[3]);
  std::string line;
  Numbers slope;
  while (std::getline(points, line)) {
    std::istringstream cells(line);
    Numbers x{std::istream_iterator<double>(cells), {}};
    if (wanted == "points") {
      std::cout << gradient(model, x, slope);
      for (double s : slope)
        std::cout << " " << s;
      std::cout << "\n";
      continue;
    }
    using Clock = std::chrono::steady_clock;
    const double limit = std::stod(given[4]);
    double least = 1e300;
    for (int burst = 0; burst < 5; ++burst) {
      const auto began = Clock::now();
      double spent = 0;
      int n = 0;
      for (; spent < limit; ++n) {
        gradient(model, x, slope);
        spent = std::chrono::duration<double>(Clock::now() - began).count();
      }
      least = std::min(least, spent / n * 1e6);
    }
    std::cout << least << "\n";
    return 0;
  }
}
