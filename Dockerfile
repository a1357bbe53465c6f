# One image for web, workers and beat; the stage `train` adds torch and what trainings need.
FROM python:3.13-slim-bookworm AS web
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=webapp.settings.project \
    GOLDROUNDS_HOME=/var/lib/goldrounds PATH=/opt/venv/bin:$PATH
RUN useradd --system --uid 10001 --home-dir /var/lib/goldrounds --create-home goldrounds \
    && mkdir -p /var/lib/goldrounds/files /var/lib/goldrounds/run /var/lib/goldrounds/static \
    && chown -R goldrounds:goldrounds /var/lib/goldrounds
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements/web.txt requirements/web.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/web.txt
COPY . .
# Static files belong to the code: collected here once. The addresses are never connected to.
RUN SECRET_KEY=only-for-this-step DATABASE_URL=postgresql://nowhere/none REDIS_URL=redis://nowhere \
    python manage.py collectstatic --no-input -v 0 --ignore rest_framework
ARG CODE_VERSION=""
ENV CODE_VERSION=$CODE_VERSION
USER goldrounds
EXPOSE 8000
CMD ["python", "-m", "gunicorn", "-c", "python:webapp.gunicorn", "--bind", "0.0.0.0:8000", "webapp.wsgi:application"]

FROM web AS train
USER root
COPY requirements/train.txt requirements/train.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --no-deps -r requirements/train.txt \
    && pip install --no-cache-dir --disable-pip-version-check torch==2.13.0
USER goldrounds
