DROP TABLE reported_metric_version;
