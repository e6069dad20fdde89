# docker build -t flash-payouts .
# docker run -v flash-payouts:/data -p 127.0.0.1:8080:8080 --env-file .env flash-payouts
FROM python:3.13-slim

RUN useradd --uid 10001 --no-create-home flash-payouts \
    && install -d -o flash-payouts -g flash-payouts -m 0700 /data
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY models models
COPY services services
COPY components components
COPY app app
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .

USER flash-payouts
ENV FLASH_PAYOUTS_DATA_DIR=/data FLASH_PAYOUTS_HOST=0.0.0.0 FLASH_PAYOUTS_LOG_FORMAT=json
VOLUME /data
EXPOSE 8080
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz')"]
CMD ["flash-payouts", "serve"]
