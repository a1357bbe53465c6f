"""Server-rendered screens, one folder each: urls, views, forms. A screen never imports another screen."""
